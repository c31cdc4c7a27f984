// What a keeper does to the command whose lease it keeps: it lets the command run, and ends it.
// The front, which is the command's parent, also acts, by its clock alone; the keeper acts a little
// later, in case the front is stopped.
#pragma once

#include "cluster/lease_times.h"
#include "core/fd.h"
#include "process/tree.h"

#include <optional>
#include <sys/types.h>

namespace ipcbox::cluster {

class CommandGuard {
  public:
    // LEAVE leads to a command before it runs (SpawnPlan::leave). OWNER is the process that ON_LOST
    // is done to instead of the command (KeeperPlan::owner).
    CommandGuard(pid_t front, OnLost on_lost, Fd leave, std::optional<process::Root> owner)
        : front_(front), on_lost_(on_lost), owner_(owner), leave_(std::move(leave)) {}

    // The process that asks for leave to become the command; nothing when none does.
    [[nodiscard]] std::optional<pid_t> next_asking();
    void answer(bool may);
    // Readable when one asks; -1 when nobody can ask any more.
    [[nodiscard]] int leave_fd() const { return leave_ ? leave_.get() : -1; }

    // Guards this command from now on. False when there is no such process, or when it is not a
    // child of the front.
    [[nodiscard]] bool begin(pid_t command);
    // Whether the command was running at the last look().
    [[nodiscard]] bool is_running() const { return static_cast<bool>(handle_); }
    // Looks whether it has ended.
    void look();
    // Readable when it has ended; -1 when there is none.
    [[nodiscard]] int fd() const { return handle_ ? handle_.get() : -1; }

    // The front says that it has acted on the present doubt.
    void front_acts() { front_acts_ = true; }
    // The front has ended.
    void front_is_gone() { is_front_gone_ = true; }

    // Does what TIMES demand now. As far as we know, their lease still lives.
    void judge(const LeaseTimes& times);
    // The lease is over: kills the command, and again any process that it has started meanwhile.
    void kill();
    // When judge() has something to do, or kill() if IS_LOST.
    [[nodiscard]] std::optional<BootTime> next_boot_time(const LeaseTimes& times,
                                                         bool is_lost) const;

  private:
    void close_leave() { leave_ = Fd{}; }
    void signal(int signal);

    pid_t front_;
    OnLost on_lost_;
    std::optional<process::Root> owner_;
    Fd leave_;
    Fd handle_;
    process::Root root_{};
    bool is_front_gone_ = false;
    bool front_acts_ = false;
    bool acted_ = false; // we have acted on the present doubt
    BootTime next_kill_{};
};

} // namespace ipcbox::cluster
