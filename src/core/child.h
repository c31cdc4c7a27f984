// Child processes: forking one that runs our own code, waiting for it, signalling it. core/spawn.h
// starts programs. fork(2), waitid(2), pidfd_open(2).
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "core/wait_status.h"

#include <functional>
#include <optional>
#include <sys/types.h>
#include <utility>

namespace ipcbox {

// A child of ours, known by a pidfd, so that no other process with a reused pid can be meant. The
// destructor kills and reaps a child that was not waited for: no zombie and no stray process stays.
class Child {
  public:
    Child() noexcept = default;
    // Without a handle it is known by its pid, which is its own until it is reaped.
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
    // Sends SIGNAL to it and to what it started, if it was spawned with a group of its own. Before
    // it is waited for.
    void kill_group(int signal) const;
    // Reaps it; nothing when the deadline passes first. Throws SysError, as wait() does.
    [[nodiscard]] std::optional<WaitStatus> wait_until(Deadline deadline);
    // Reaps it, however long it takes.
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

// Makes the kernel keep our ended children until we wait for them. A parent that ignores SIGCHLD
// hands that down through execve(2), and then the kernel would reap them itself. Throws SysError.
void keep_ended_children();

// Any child of ours that has ended, reaped; nothing when there is none (yet). Throws SysError.
struct Reaped {
    pid_t pid;
    WaitStatus status;
};
[[nodiscard]] std::optional<Reaped> reap_child();

// What a child of ours did, reaped if it ended; nothing when none did anything (yet). That a
// stopped child goes on is not told.
struct ChildChange {
    pid_t pid;
    std::optional<WaitStatus> end;
    int stopped_by = 0; // the signal, when it did not end
};
[[nodiscard]] std::optional<ChildChange> next_child_change();

// Whether we have one, ended or not.
[[nodiscard]] bool has_children();

// Sends SIGNAL to each process of LEADER's group: of a child that was not reaped, so that the
// number cannot be another's.
void kill_group(pid_t leader, int signal) noexcept;

// Runs BODY in a forked child; BODY returns the child's exit status. No exception leaves the child:
// BODY has to report what it throws, or it is lost.
//
// Only a process without other threads may do that. A thread may hold a lock of the C library (of
// malloc, of stdio) at the moment of the fork; in the child that thread does not exist, and the
// lock is never released: the first allocation there hangs for ever. A process with threads starts
// programs with core/spawn.h, which allocates before the clone(2) and does nothing between it and
// the exec that takes a lock; our own code runs there as our own program, executed anew
// (server/relayed_program.h).
//
// Throws Error when there is another thread, or when it cannot be found out; SysError when there is
// no child. Once there is a child, nothing is thrown: without a descriptor for its handle it is
// known by its pid, which wait() and kill_group() can do with.
[[nodiscard]] Child fork_child(const std::function<int()>& body);

// For a forked child: it and what it starts can be signalled together.
void lead_process_group() noexcept;

// For a forked child: it is killed when PARENT, which forked it, ends, also when that was before.
void end_with_parent(pid_t parent);
// The end of that.
void outlive_parent();

// For a forked child that stays when we have ended: a session of its own, / as working directory,
// and /dev/null for the standard descriptors, so that it keeps no terminal, mount or pipe busy.
void detach_from_session();

} // namespace ipcbox
