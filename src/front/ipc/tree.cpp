#include "front/ipc/tree.h"

#include "cli/json.h"
#include "core/process_info.h"
#include "front/ipc/rows.h"

#include <fmt/core.h>
#include <set>

namespace ipcbox::front {

namespace {

using sysv::Entry;
using Does = sysv::User::Does;

std::string process_text(pid_t pid) {
    const auto process = find_process(pid);
    return process ? process->text() : fmt::format("{}", pid);
}

// Whether PID is ANCESTOR or descends from it.
bool descends(pid_t pid, pid_t ancestor, const std::map<pid_t, sysv::Witness>& processes) {
    // Limit the steps: if a process ended while we looked, the parents can form a circle.
    for (std::size_t steps = 0; pid != 0 && steps <= processes.size(); ++steps) {
        if (pid == ancestor) return true;
        const auto found = processes.find(pid);
        if (found == processes.end()) return false;
        pid = found->second.parent;
    }
    return false;
}

class Tree {
  public:
    Tree(const std::vector<Entry>& entries, const sysv::Sight<sysv::Waiter>& sight)
        : sight_(sight) {
        for (const auto& entry : entries)
            for (const auto& user : entry.users)
                if (user.does == Does::waits) waits_.emplace(user.pid, std::pair{&entry, &user});
    }

    // The objects that PROCESS or one of its children waits for.
    [[nodiscard]] std::string waits_of(pid_t process) const {
        std::string text;
        for (const auto& [pid, wait] : waits_) {
            if (!descends(pid, process, sight_.processes)) continue;
            const auto& [entry, user] = wait;
            const auto what = object_text(*entry);
            text += pid == process ? fmt::format(", and waits for {}", what)
                                   : fmt::format(", and its {} waits for {}", user->text, what);
        }
        return text;
    }

    [[nodiscard]] std::vector<std::string> lines_of(const Entry& entry) const {
        std::vector<std::string> lines;
        for (const auto& user : entry.users) {
            if (user.does == Does::attached) continue;
            const auto does = user.does == Does::waits ? std::string{"waits"}
                                                       : fmt::format("{} it", name_of(user.does));
            lines.push_back(fmt::format("  {} {}{}", user.text, does,
                                        user.does == Does::waits ? "" : waits_of(user.pid)));
        }
        if (entry.object.kind != sysv::Kind::memory && entry.unknown_users > 0)
            lines.push_back(fmt::format("  {} unknown waiting", entry.unknown_users));
        if (entry.use == sysv::Use::unknown) lines.push_back("  unknown: " + entry.why);
        if (!lines.empty())
            lines.insert(lines.begin(),
                         fmt::format("{}: {}", object_text(entry), state_text(entry)));
        return lines;
    }

  private:
    const sysv::Sight<sysv::Waiter>& sight_;
    std::map<pid_t, std::pair<const Entry*, const sysv::User*>> waits_;
};

} // namespace

std::vector<std::string> tree_of(const std::vector<Entry>& entries,
                                 const sysv::Sight<sysv::Waiter>& sight) {
    const Tree tree{entries, sight};
    std::vector<std::string> lines;
    for (const auto& entry : entries)
        for (auto& line : tree.lines_of(entry))
            lines.push_back(std::move(line));
    return lines;
}

std::string text_of(const std::vector<sysv::Link>& deadlock) {
    std::string text;
    for (const auto& link : deadlock)
        text += fmt::format("{}{} waits for {}, which {} holds", text.empty() ? "deadlock: " : "; ",
                            process_text(link.waiter), object_text(*link.waits_for),
                            process_text(link.holder));
    return text;
}

std::string json_of(const std::vector<sysv::Link>& deadlock) {
    cli::JsonLine line;
    for (const auto& link : deadlock) {
        cli::JsonLine object;
        object.set("waiter", link.waiter)
            .set("kind", sysv::short_name_of(link.waits_for->object.kind))
            .set("id", link.waits_for->object.id)
            .set("holder", link.holder);
        line.add_object("deadlock", object);
    }
    return line.text();
}

} // namespace ipcbox::front
