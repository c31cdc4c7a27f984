// Running a program in our place: setpgid(2), tcsetpgrp(3), prctl(2) (PR_SET_PDEATHSIG,
// PR_SET_CHILD_SUBREAPER), signalfd(2), waitid(2).
//
// To our parent and to the terminal we are the program. What we are signalled, it is signalled;
// when it stops at the terminal, we stop, and when we go on, it goes on; we end as it ended. When
// we are killed so that we cannot pass anything on, the kernel kills it.
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

// What a signal that we get becomes for the program; 0: nothing.
struct Rewrite {
    int from = 0;
    int to = 0;
};

struct SupervisePlan {
    // Whom signals are passed on to.
    enum class Reach { command, group };
    // Which processes are ended by signal(): the command and its group, or all that descend from
    // it, those too that went to another group or session. The latter makes us a subreaper, so that
    // nothing can get away.
    enum class Extent { group, tree };
    // A group of its own lets us signal the program together with what it starts. It then gets the
    // terminal, if we had it in the foreground. In the foreground but in a pipeline, its group is
    // ours nevertheless: the pipeline's other programs need the terminal, too.
    enum class Group { own, ours };

    Reach reach = Reach::group;
    Extent extent = Extent::group;
    Group group = Group::own;
    std::vector<Rewrite> rewrites{};
    // The standard descriptors of the program, as SpawnPlan has them.
    int input = SpawnPlan::same;
    int output = SpawnPlan::same;
    int error = SpawnPlan::same;
    // What the program is sent when we die first; 0: nothing.
    int death_signal = SIGKILL;
    // Called for each signal that we get, before it is passed on; false: it is not. Not for CHLD,
    // and not for the PIPE that a write of ours raises.
    std::function<bool(const SignalEvent&)> on_signal{};
    // Called for each child that has ended, the command and those that we adopted as a subreaper.
    std::function<void(const EndedChild&)> on_end{};
};

// All signals but those that say that we ourselves are broken.
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
    // Waits for the command's end, does all that the header promises, and returns its status;
    // nothing when the limit passes first.
    [[nodiscard]] std::optional<WaitStatus> wait();
    // The same for the end of all our children, adopted ones too; false when the limit passes
    // first.
    [[nodiscard]] bool wait_for_all();

    // Sends SIGNAL to all of the plan's extent, and CONT, so that it is acted on. The number of
    // processes, as far as we know it.
    std::size_t signal(int signal);

    // Readable when wait() has something to do: for a caller that polls more than us. handle() does
    // it, without waiting.
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

// We get SIGNAL when our parent dies; at once if it is dead already.
void die_with_parent(int signal);

// What our own exit status has to be to end as the command ended. When a signal killed it, we die
// of that signal here, without a core dump of our own; as PID 1, where none kills us, 128 + the
// signal is returned.
[[nodiscard]] int end_as(WaitStatus status);

} // namespace ipcbox::process
