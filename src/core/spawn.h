// Starting a program without copying our memory: clone(2) with CLONE_VM | CLONE_VFORK, so that it
// costs the same however much memory we use. Only the calling thread waits for the exec; other
// threads can start programs at the same time.
#pragma once

#include "core/child.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/fork_retry.h"
#include "core/privileges.h"

#include <csignal>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ipcbox {

// The process group of the program, which a signal of the terminal and kill_group() reach. A
// session of its own (setsid(2)) is also a group of its own, without a terminal.
enum class ProcessGroup { same, own, own_session };

// setrlimit(2) for the program: the soft and the hard limit.
struct ResourceLimit {
    int resource = 0;
    std::uint64_t max = 0;
};

// Whether we could set LIMIT for a program: 0, or the errno. Nothing is changed.
[[nodiscard]] int limit_error(const ResourceLimit& limit) noexcept;
// The same for a nice value.
[[nodiscard]] int nice_error(int nice) noexcept;

// How the program starts. It always has the signal mask that we were started with.
struct SpawnPlan {
    // The standard descriptors: each is one of our descriptors, or the same as ours.
    static constexpr int same = -1;
    int input = same;
    int output = same;
    int error = same;
    ProcessGroup group = ProcessGroup::same;
    // A terminal of ours on which the program's own group is in the foreground from its start, so
    // that the program can read what is typed, and Ctrl-C reaches it. -1: none.
    int terminal = -1;
    // A terminal that belongs to no session yet; it becomes the terminal of the program's own
    // session. -1: none.
    int controlling_terminal = -1;
    // The program gets this signal when we die first (PR_SET_PDEATHSIG), even of KILL. 0: none. The
    // processes that it starts do not get it, and neither does a set-user-ID program.
    int death_signal = 0;
    // The program has these signals at their default action and not blocked, even if we inherited
    // them ignored or blocked. Null: none. KILL and STOP, which are always so, can be among them.
    const sigset_t* default_signals = nullptr;
    // The whole environment, "NAME=VALUE" each; null: ours.
    const std::vector<std::string>* environment = nullptr;
    std::span<const ResourceLimit> limits = {};
    std::optional<int> nice = {};
    // The program runs as this user. Only root may ask for that.
    const Credentials* user = nullptr;
    // PR_SET_NO_NEW_PRIVS: the program gains no rights from set-user-ID programs.
    bool no_new_privileges = false;
    // What to do if the kernel refuses a process; null: throw without a retry. start_process()
    // ignores it.
    const ForkRetry* retry = nullptr;
    // A descriptor of ours that the program has under the same number. -1: none.
    int kept = -1;
    // A socket whose other end says whether the program may run. Right before the exec(2) the new
    // process writes its pid (a pid_t) there and waits for one byte, leave_granted. Another byte,
    // the end of the file, or none within leave_patience: it does not run. -1: nobody is asked.
    int leave = -1;
    Duration leave_patience{};
};

inline constexpr char leave_granted = 'y';

// The program was not to run (SpawnPlan::leave).
class LeaveRefused : public Error {
  public:
    explicit LeaveRefused(const std::string& program);
};

// Runs PROGRAM (a path) with ARGUMENTS, whose first is the name it is called by. A failed exec(2)
// is thrown here as an error, as find_program() does. Throws LeaveRefused.
[[nodiscard]] Child spawn(const std::string& program, std::span<const std::string> arguments,
                          const SpawnPlan& plan);

// The same for a server that reaps its children itself, with reap_child(). Nothing owns the child,
// and a failed exec also leaves one, which ends with status 126.
struct Started {
    pid_t pid = 0;
    int exec_error = 0;             // errno, or 0
    const char* failed = "execute"; // for "cannot execute PROGRAM"
};
// Throws SysError when there could be no child at all (EAGAIN, ENOMEM).
[[nodiscard]] Started start_process(const std::string& program,
                                    std::span<const std::string> arguments, const SpawnPlan& plan);

} // namespace ipcbox
