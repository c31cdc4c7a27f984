#include "process/tree_signals.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/pidfd.h"
#include "core/process_stat.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "process/insist.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <optional>
#include <sched.h>
#include <sys/prctl.h>
#include <type_traits>
#include <unistd.h>
#include <vector>

namespace ipcbox::process {

namespace {

void append(std::vector<pid_t>& into, const std::vector<pid_t>& more) {
    into.insert(into.end(), more.begin(), more.end());
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
            append(waiting, with_reserve([member] { return children_of(member->stat); }));
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
                append(waiting, with_reserve([member] { return children_of(member->stat); }));
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
