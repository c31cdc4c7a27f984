// Child processes: forking one that runs our own code, waiting for it, signalling it. core/spawn.h
// starts programs. fork(2), waitid(2), pidfd_open(2).
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "core/fork_retry.h"
#include "core/wait_status.h"

#include <csignal>
#include <functional>
#include <optional>
#include <sys/types.h>
#include <utility>

namespace ipcbox {

// A child of ours, known by a pidfd, so that it cannot be confused with a later process of the same
// pid. The destructor kills and reaps a child that was not waited for, so no zombie and no stray
// process stays.
class Child {
  public:
    Child() noexcept = default;
    // Without a handle it is known by its pid, which no other process can get until it is reaped.
    explicit Child(pid_t pid, Fd pidfd = {}) noexcept : pid_(pid), pidfd_(std::move(pidfd)) {}
    Child(Child&& other) noexcept
        : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
    Child& operator=(Child&& other) noexcept {
        std::swap(pid_, other.pid_);
        std::swap(pidfd_, other.pidfd_);
        return *this;
    }
    ~Child();

    [[nodiscard]] pid_t pid() const { return pid_; }
    // Readable in poll(2) once it has ended.
    [[nodiscard]] int pidfd() const { return pidfd_.get(); }
    explicit operator bool() const { return pid_ != 0; }

    void attach(Fd pidfd) noexcept { pidfd_ = std::move(pidfd); }

    // Sends SIGNAL; nothing happens when the child has ended. Throws SysError.
    void kill(int signal) const;
    // Sends SIGNAL to it and to the processes that it started, if it was spawned with a group of
    // its own. To be called before it is waited for.
    void kill_group(int signal) const;
    // Waits for its end and reaps it; nothing when the deadline passes first. Throws SysError, as
    // wait() does.
    [[nodiscard]] std::optional<WaitStatus> wait_until(Deadline deadline);
    // Waits for its end, however long it takes, and reaps it.
    WaitStatus wait();
    // Reaps it without waiting; nothing while it runs. Throws as wait() does.
    struct End {
        WaitStatus status;
        Duration cpu; // the time that it and the children that it waited for used
    };
    [[nodiscard]] std::optional<End> reap_if_ended();
    // Leaves it to run on its own.
    void release();

  private:
    pid_t pid_ = 0;
    Fd pidfd_;
};

// Makes the kernel keep our ended children until we wait for them. If our parent ignores SIGCHLD,
// we inherit that through execve(2), and the kernel would then reap our children itself. Throws
// SysError.
void keep_ended_children();

// Reaps any child of ours that has ended; nothing when none has (yet). Throws SysError.
struct Reaped {
    pid_t pid;
    WaitStatus status;
};
[[nodiscard]] std::optional<Reaped> reap_child();

// Reports a child of ours that ended or stopped, and reaps it if it ended; nothing when none did
// (yet). It does not report that a stopped child continues.
struct ChildChange {
    pid_t pid;
    std::optional<WaitStatus> end;
    int stopped_by = 0; // the signal, when it did not end
};
[[nodiscard]] std::optional<ChildChange> next_child_change();

// Whether we have a child, ended or not.
[[nodiscard]] bool has_children();

// Sends SIGNAL to each process of LEADER's group. LEADER is a child that was not reaped, so its
// number cannot belong to another process.
void kill_group(pid_t leader, int signal) noexcept;
// The same, and then CONT where that is needed (needs_wake()).
void kill_group_and_wake(pid_t leader, int signal) noexcept;

// Runs BODY in a forked child; BODY returns the child's exit status. No exception leaves the child:
// BODY has to report what it throws, or it is lost.
//
// Only a process without other threads may do that. At the moment of the fork, another thread can
// hold a lock of the C library (of malloc, of stdio). That thread does not exist in the child, so
// nobody releases the lock there, and the first allocation hangs forever. A process with threads
// starts programs with core/spawn.h, which allocates before the clone(2) and takes no lock between
// it and the exec. To run our own code in a child, such a process executes our own program again
// (server/relayed_program.h).
//
// RETRY says what to do when there can be no child; null: that is an error at once.
//
// Throws Error when there is another thread, or when that cannot be found out; SysError when the
// fork fails. Once there is a child, nothing is thrown: without a descriptor for its handle, the
// child is known by its pid, which is enough for wait() and kill_group().
[[nodiscard]] Child fork_child(const std::function<int()>& body, const ForkRetry* retry = nullptr);

// For a forked child: from now on it can be signalled together with the processes that it starts.
void lead_process_group() noexcept;

// The kernel sends us SIGNAL when our parent PARENT ends. If PARENT has ended already, so that a
// reaper has taken its place, we get SIGNAL immediately. A forked child has to be told which
// process forked it, because PARENT may have ended before the child can ask.
void end_with_parent(pid_t parent, int signal = SIGKILL);
// Undoes end_with_parent().
void outlive_parent();

// For a forked child that outlives us: gives it a session of its own, / as its working directory,
// and /dev/null as its standard descriptors, so that it keeps no terminal, mount or pipe busy.
void detach_from_session();

} // namespace ipcbox
