// Running a program in our place: setpgid(2), tcsetpgrp(3), prctl(2) (PR_SET_PDEATHSIG,
// PR_SET_CHILD_SUBREAPER), signalfd(2), waitid(2).
//
// To our parent and to the terminal, we act as the program. We pass our signals on to it. When it
// stops at the terminal, we stop; when we continue, it continues; and we end as it ended. When we
// are killed by KILL and cannot pass anything on, the kernel kills it.
//
//     process::Supervised command{find_program("make"), words, {}};
//     command.set_limit(Deadline::after(10s));
//     auto status = command.wait();
//     if (!status) command.signal(SIGTERM) …
#pragma once

#include "core/child.h"
#include "core/deadline.h"
#include "core/signals.h"
#include "core/spawn.h"
#include "core/wait_status.h"
#include "process/reaper.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ipcbox::process {

// The signal that the program gets instead of one that we get; 0 means none.
struct Rewrite {
    int from = 0;
    int to = 0;
};

struct SupervisePlan {
    // Which processes our signals are passed on to.
    enum class Reach { command, group };
    // Which processes are ended by signal(): the command and its group, or all its descendants,
    // even those that moved to another group or session. The latter makes us a subreaper, so that
    // no process can get away. Descendants are found in /proc; without our own one
    // (core/process_stat.h), a tree is the command and its group.
    enum class Extent { group, tree };
    // With a group of its own, the program can be signalled together with the processes that it
    // starts. If we are in the foreground of the terminal, that group then takes our place there.
    // But in a pipeline in the foreground, the program stays in our group, because the other
    // programs of the pipeline also need the terminal.
    enum class Group { own, ours };

    Reach reach = Reach::group;
    Extent extent = Extent::group;
    Group group = Group::own;
    std::vector<Rewrite> rewrites{};
    // The standard descriptors of the program, as SpawnPlan has them.
    int input = SpawnPlan::same;
    int output = SpawnPlan::same;
    int error = SpawnPlan::same;
    // The environment, and the socket that is asked before it runs, as SpawnPlan has them.
    const std::vector<std::string>* environment = nullptr;
    int leave = -1;
    Duration leave_patience{};
    // The signals that it has at their default action, as SpawnPlan has them.
    std::optional<sigset_t> default_signals{};
    // The signal that the program gets when we die first; 0 means none.
    int death_signal = SIGKILL;
    const ForkRetry* retry = nullptr; // as SpawnPlan has it
    // Called for each signal that we get, before it is passed on; if it returns false, the signal
    // is not passed on. It is not called for CHLD, nor for the PIPE that a write of ours raises.
    std::function<bool(const SignalEvent&)> on_signal{};
    // Called for each child that has ended, the command and those that we adopted as a subreaper.
    std::function<void(const EndedChild&)> on_end{};
};

// All signals except those that report a fault in our own code.
[[nodiscard]] sigset_t signals_to_pass();

class Supervised {
  public:
    // Starts PROGRAM (a path) with ARGUMENTS. Throws as spawn() does.
    Supervised(const std::string& program, std::span<const std::string> arguments,
               SupervisePlan plan);
    // Kills the command if it was not waited for.
    ~Supervised();
    Supervised(const Supervised&) = delete;
    Supervised& operator=(const Supervised&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }

    // When wait() gives up. It may be called from on_signal.
    void set_limit(Deadline limit) { limit_ = limit; }
    // Waits for the command's end, meanwhile does what the head of this file promises, and returns
    // its status; nothing when the limit passes first.
    [[nodiscard]] std::optional<WaitStatus> wait();
    // The same for the end of all our children, adopted ones too; false when the limit passes
    // first.
    [[nodiscard]] bool wait_for_all();

    // Sends SIGNAL to all processes of the plan's extent, and CONT, so that stopped ones act on it.
    // Returns the number of processes, as far as we know it.
    std::size_t signal(int signal);

    // Readable when wait() would have something to do. A caller that polls other descriptors too
    // then calls handle(), which does it without waiting.
    [[nodiscard]] int fd() const { return signals_.fd(); }
    void handle();
    [[nodiscard]] const std::optional<WaitStatus>& status() const { return status_; }

  private:
    void pass_on(const SignalEvent& event);
    void look_at_children();
    void look_closely_at_children();
    void end(WaitStatus status);
    void stop_with_command();
    void give_terminal();
    void take_terminal();

    SupervisePlan plan_;
    SignalFd signals_;
    Fd terminal_; // which we can hand over
    Child child_;
    pid_t pid_ = 0;
    bool has_own_group_ = false;
    bool has_terminal_ = false; // the command has
    std::optional<WaitStatus> status_;
    Deadline limit_ = Deadline::never();
};

// Runs PROGRAM to its end.
[[nodiscard]] WaitStatus supervise(const std::string& program,
                                   std::span<const std::string> arguments, SupervisePlan plan);

// Lets us end as the command ended: returns its exit status. When a signal killed it, we die of
// that signal here, without a core dump of our own. PID 1 cannot die so; then 128 + the signal is
// returned.
[[nodiscard]] int end_as(WaitStatus status);

} // namespace ipcbox::process
