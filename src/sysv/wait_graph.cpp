#include "sysv/wait_graph.h"

#include <algorithm>
#include <set>

namespace ipcbox::sysv {

namespace {

class Graph {
  public:
    Graph(const std::vector<Entry>& entries, const Sight<Waiter>& sight) {
        std::map<int, const Entry*> sets;
        for (const auto& entry : entries)
            if (entry.object.kind == Kind::semaphores && has_known_holders(entry))
                sets.emplace(entry.object.id, &entry);
        for (const auto& waiter : sight.users)
            if (const auto set = sets.find(waiter.id);
                waiter.kind == Kind::semaphores && waiter.is_only_thread && set != sets.end())
                waits_.emplace(waiter.pid, set->second);
        for (const auto& [pid, witness] : sight.processes) {
            children_[witness.parent].push_back(pid);
            if (witness.waits_for_child) parents_.insert(pid);
        }
        for (const auto& [pid, entry] : waits_)
            stuck_.insert(pid);
        stuck_.insert(parents_.begin(), parents_.end());
        // Suppose that all waiting processes are stuck. Remove those that are not, until all that
        // are left are.
        while (std::erase_if(stuck_, [this](pid_t pid) { return !is_stuck(pid); }) > 0) {
        }
    }

    [[nodiscard]] std::vector<std::vector<Link>> circles() const {
        std::vector<std::vector<Link>> circles;
        std::set<pid_t> seen;
        for (const auto& [pid, entry] : waits_) {
            if (!stuck_.contains(pid)) continue;
            std::vector<Link> path;
            for (pid_t at = pid; at != 0;) {
                const auto known = std::ranges::find(path, at, &Link::waiter);
                if (known != path.end()) {
                    std::rotate(known, lowest(known, path.end()), path.end());
                    circles.emplace_back(known, path.end());
                    break;
                }
                if (!seen.insert(at).second) break; // we have found this circle already
                const auto* set = waits_.at(at);
                const pid_t holder = holders_of(*set).front();
                path.push_back({at, set, holder});
                at = waiter_below(holder);
            }
        }
        return circles;
    }

  private:
    using Place = std::vector<Link>::iterator;

    static Place lowest(Place first, Place last) {
        return std::min_element(first, last, [](const Link& left, const Link& right) {
            return left.waiter < right.waiter;
        });
    }

    static std::vector<pid_t> holders_of(const Entry& entry) {
        std::vector<pid_t> holders;
        for (const auto& user : entry.users)
            if (user.does == User::Does::holds) holders.push_back(user.pid);
        return holders;
    }

    // Whether all tokens are taken, and we can see a holder for each that keeps it until it ends.
    static bool has_known_holders(const Entry& entry) {
        const auto holders = holders_of(entry);
        return entry.slots && entry.taken == *entry.slots && std::ssize(holders) == entry.taken &&
               std::ranges::find(holders, 0) == holders.end();
    }

    [[nodiscard]] bool is_stuck(pid_t pid) const {
        const auto all_stuck = [this](const std::vector<pid_t>& pids) {
            return !pids.empty() &&
                   std::ranges::all_of(pids, [this](pid_t one) { return stuck_.contains(one); });
        };
        if (const auto wait = waits_.find(pid); wait != waits_.end())
            return all_stuck(holders_of(*wait->second));
        const auto children = children_.find(pid);
        return children != children_.end() && all_stuck(children->second);
    }

    // PID or one of its descendants that is stuck in a wait for a set.
    [[nodiscard]] pid_t waiter_below(pid_t pid) const {
        if (waits_.contains(pid)) return pid;
        if (const auto children = children_.find(pid); children != children_.end())
            for (const pid_t child : children->second)
                if (stuck_.contains(child))
                    if (const pid_t waiter = waiter_below(child); waiter != 0) return waiter;
        return 0;
    }

    std::map<pid_t, const Entry*> waits_;
    std::map<pid_t, std::vector<pid_t>> children_;
    std::set<pid_t> parents_; // processes that wait for a child
    std::set<pid_t> stuck_;
};

} // namespace

std::vector<std::vector<Link>> find_deadlocks(const std::vector<Entry>& entries,
                                              const Sight<Waiter>& sight) {
    return Graph{entries, sight}.circles();
}

} // namespace ipcbox::sysv
