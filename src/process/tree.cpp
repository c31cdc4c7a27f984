#include "process/tree.h"

#include "core/directory.h"
#include "core/error.h"
#include "core/number.h"
#include "core/pidfd.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "core/signals.h"
#include "core/syscall.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>
#include <map>
#include <optional>
#include <sched.h>
#include <sys/prctl.h>
#include <type_traits>
#include <unistd.h>

namespace ipcbox::process {

namespace {

void append_numbers(std::vector<pid_t>& into, std::string_view text) {
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        if (const auto pid = whole_number<pid_t>(word)) into.push_back(*pid);
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
}

// Tries again while the system lacks memory or descriptors. Without this, a walk that fails would
// leave a tree that is still running or stopped.
template <class Look> auto insist(Look look) {
    constexpr int max_attempts = 100;
    constexpr auto pause = std::chrono::milliseconds{10};
    for (int attempt = 1;; ++attempt) {
        try {
            return look();
        } catch (const SysError& error) {
            const bool may_pass = error.error() == ENOMEM || error.error() == ENFILE;
            if (!may_pass || attempt == max_attempts) throw;
        }
        (void)poll_until({}, Deadline::after(pause));
    }
}

void append(std::vector<pid_t>& into, const std::vector<pid_t>& more) {
    into.insert(into.end(), more.begin(), more.end());
}

std::vector<pid_t> children_in(const ProcessStat& stat) {
    std::vector<pid_t> children;
    const auto append = [&](pid_t thread) {
        const auto file = fmt::format("task/{}/children", thread);
        if (const auto text = insist([&] { return read_process_file(stat.pid, file); }))
            append_numbers(children, *text);
    };
    if (stat.threads == 1)
        append(stat.pid);
    else
        std::ranges::for_each(threads_of(stat.pid), append);
    return children;
}

class Walk {
  public:
    explicit Walk(int signal) : signal_(signal) {}

    // Signals each process when it is found. Returns whether there was a new one.
    bool signal_running(pid_t root) {
        bool found = false;
        auto waiting = with_reserve([root] { return children_of(root); });
        for (std::size_t at = 0; at < waiting.size(); ++at) {
            auto* member = meet(waiting[at]);
            if (member == nullptr) continue;
            append(waiting, with_reserve([member] { return children_in(member->stat); }));
            if (member->is_done) continue;
            found = true;
            deliver(*member);
            if (needs_wake(signal_)) (void)send(*member, SIGCONT);
        }
        return found;
    }

    // Stops ROOTS and the trees below them, until no new process appears and none runs.
    void stop_all(std::span<const Root> roots) {
        // A process stops only when it next gets a CPU, so this can take many rounds.
        constexpr int max_rounds = 10'000;
        for (int round = 0; round < max_rounds; ++round) {
            bool is_still = true;
            std::vector<pid_t> waiting;
            for (const auto& root : roots)
                if (root.pid == ::getpid())
                    append(waiting, with_reserve([&root] { return children_of(root.pid); }));
                else if (is_still_there(root))
                    waiting.push_back(root.pid);
            for (std::size_t at = 0; at < waiting.size(); ++at) {
                auto* member = meet(waiting[at]);
                if (member == nullptr) continue;
                is_still &= stop(*member);
                append(waiting, with_reserve([member] { return children_in(member->stat); }));
            }
            if (is_still) return;
            (void)::sched_yield();
        }
    }

    // Continues what we have stopped, after the walk has failed.
    void let_go() noexcept {
        for (auto& [pid, member] : members_)
            try {
                if (member.is_stopped_by_us) (void)send(member, SIGCONT);
            } catch (const SysError&) { // NOLINT(bugprone-empty-catch): the first error is reported
            }
    }

    void signal_stopped(Waking waking) {
        for (auto& [pid, member] : members_)
            if (!member.is_done) deliver(member);
        // A stopped process also dies of KILL.
        if (signal_ == SIGSTOP || signal_ == SIGKILL) return;
        for (auto& [pid, member] : members_)
            if (member.is_stopped_by_us || (waking == Waking::everybody && needs_wake(signal_)))
                (void)send(member, SIGCONT);
    }

    [[nodiscard]] TreeResult result() && { return std::move(result_); }

  private:
    // A process that we met. We open the handle before we look at the process, so that a signal
    // reaches the process that we saw. The handle is empty when there are too many.
    struct Member {
        Fd handle{};
        ProcessStat stat{};
        bool is_done = false; // has the signal, or refused it
        bool is_refused = false;
        bool is_stopped_by_us = false;
    };

    // Null for a process that has ended, and for ourselves.
    Member* meet(pid_t pid) {
        if (pid == ::getpid()) return nullptr;
        const auto known = members_.find(pid);
        Fd handle;
        if (known == members_.end() || !known->second.handle) {
            auto opened = open_if_possible(pid);
            if (!opened) return nullptr;
            handle = *std::move(opened);
        }
        auto stat = with_reserve([pid] { return read_process_stat(pid); });
        if (!stat || stat->has_ended()) return nullptr;
        if (known != members_.end() && known->second.stat.start_ticks == stat->start_ticks) {
            known->second.stat = *std::move(stat);
            return &known->second;
        }
        auto& member = members_[pid] = Member{std::move(handle), *std::move(stat)};
        return &member;
    }

    bool is_still_there(const Root& root) {
        const auto stat = with_reserve([&root] { return read_process_stat(root.pid); });
        return stat && stat->start_ticks == root.start_ticks;
    }

    // An empty handle when no descriptor is left; nothing when the process has ended.
    std::optional<Fd> open_if_possible(pid_t pid) {
        if (!reserve_[0]) return Fd{};
        try {
            return insist([pid] { return open_process(pid); });
        } catch (const SysError& error) {
            if (error.error() != EMFILE) throw;
            reserve_ = {};
            return Fd{};
        }
    }
    template <class Look> std::invoke_result_t<Look> with_reserve(Look look) {
        try {
            return insist(look);
        } catch (const SysError& error) {
            if (error.error() != EMFILE || !reserve_[0]) throw;
        }
        reserve_ = {};
        return insist(look);
    }
    static Fd reserve_one() {
        try {
            return insist([] { return open_file("/dev/null", O_RDONLY); });
        } catch (const SysError&) { // go on without handles
            return {};
        }
    }

    // Stops the process. Returns whether it was already stopped.
    bool stop(Member& member) {
        // D: the process waits in the kernel, for example for a child of vfork(2). We stop that
        // child when we come to it.
        constexpr std::string_view still = "TtD";
        if (member.is_refused || still.find(member.stat.state) != std::string_view::npos)
            return true;
        if (!member.is_stopped_by_us) {
            member.is_refused = !send(member, SIGSTOP);
            member.is_stopped_by_us = !member.is_refused;
        }
        return member.is_refused;
    }

    void deliver(Member& member) {
        member.is_done = true;
        if (send(member, signal_))
            ++result_.signalled;
        else
            result_.refused.push_back(member.stat.pid);
    }

    // False when we are not allowed to.
    static bool send(const Member& member, int signal) {
        try {
            if (member.handle) {
                (void)try_to_signal(member.handle, signal);
                return true;
            }
            const auto handle = insist([&] { return open_process(member.stat.pid); });
            const auto now = handle ? read_process_stat(member.stat.pid) : std::nullopt;
            if (now && now->start_ticks == member.stat.start_ticks)
                (void)try_to_signal(*handle, signal);
            return true;
        } catch (const SysError& error) {
            if (error.error() != EPERM) throw;
            return false;
        }
    }

    int signal_;
    // One for a file of /proc and one for a handle, for the time when no other descriptor is left.
    std::array<Fd, 2> reserve_{reserve_one(), reserve_one()};
    std::map<pid_t, Member> members_;
    TreeResult result_;
};

// Makes room, because the walk keeps a descriptor for each process.
void allow_handles() {
    constexpr std::size_t wanted = 65'536;
    (void)raise_descriptor_limit(wanted);
}

} // namespace

std::vector<pid_t> threads_of(pid_t pid) {
    std::vector<pid_t> threads;
    if (!has_own_proc()) return threads;
    const Directory directory{::opendir(fmt::format("/proc/{}/task", pid).c_str())};
    while (directory != nullptr) {
        const auto* entry = ::readdir(directory.get());
        if (entry == nullptr) break;
        if (const auto thread = whole_number<pid_t>(entry->d_name)) threads.push_back(*thread);
    }
    return threads;
}

std::vector<pid_t> children_of(pid_t pid) {
    const auto stat = insist([pid] { return read_process_stat(pid); });
    return stat ? children_in(*stat) : std::vector<pid_t>{};
}

std::vector<pid_t> descendants_of(pid_t pid) {
    std::vector<pid_t> all = children_of(pid);
    for (std::size_t at = 0; at < all.size(); ++at) {
        const auto children = children_of(all[at]); // append() may move all[at]
        append(all, children);
    }
    return all;
}

void adopt_orphans() {
    const auto set = [](unsigned long on) { return ::prctl(PR_SET_CHILD_SUBREAPER, on); };
    if (sys::call("prctl", set, 1UL) < 0) throw SysError("become", "a subreaper");
}

TreeResult signal_own_tree(int signal) {
    Walk walk{signal};
    // Few trees grow while we signal them. Stop the tree only if it still grows after these rounds.
    constexpr int quick_rounds = 3;
    for (int round = 0; round < quick_rounds; ++round)
        if (!walk.signal_running(::getpid())) return std::move(walk).result();
    allow_handles();
    const Root us{::getpid()};
    walk.stop_all({&us, 1});
    walk.signal_stopped(Waking::everybody);
    return std::move(walk).result();
}

std::vector<Root> roots_of(std::span<const pid_t> pids) {
    std::vector<Root> roots;
    for (const auto pid : pids)
        if (const auto stat = insist([pid] { return read_process_stat(pid); }))
            roots.push_back({pid, stat->start_ticks});
    return roots;
}

TreeResult signal_trees(std::span<const Root> roots, int signal, Waking waking) {
    allow_handles();
    Walk walk{signal};
    try {
        walk.stop_all(roots);
        walk.signal_stopped(waking);
    } catch (const SysError&) {
        walk.let_go();
        throw;
    }
    return std::move(walk).result();
}

} // namespace ipcbox::process
