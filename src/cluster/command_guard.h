// What a keeper does to the command whose lease it keeps. The front, the command's parent, acts on
// time alone, too; the keeper comes a little later, in case that the front is stopped.
#pragma once

#include "cluster/lease_times.h"
#include "core/fd.h"
#include "process/tree.h"

#include <optional>
#include <sys/types.h>

namespace ipcbox::cluster {

class CommandGuard {
  public:
    CommandGuard(pid_t front, OnLost on_lost) : front_(front), on_lost_(on_lost) {}

    // From now on this command is meant. False when there is no such process, or it is not a child
    // of the front's.
    [[nodiscard]] bool begin(pid_t command);
    // Whether there is a command that runs, as far as we have looked.
    [[nodiscard]] bool is_running() const { return static_cast<bool>(handle_); }
    // Looks whether it has ended.
    void look();
    // Readable when it has ended; -1 when there is none.
    [[nodiscard]] int fd() const { return handle_ ? handle_.get() : -1; }

    // The front says that it acts on the doubt that there is.
    void front_acts() { front_acts_ = true; }
    // The front has ended.
    void front_is_gone() { is_front_gone_ = true; }

    // Does what TIMES demand now. They are those of a lease that lives, as far as we know.
    void judge(const LeaseTimes& times);
    // The lease is over: kills the command, again when something was born meanwhile.
    void kill();
    // When judge() has something to do, or kill() if IS_LOST.
    [[nodiscard]] std::optional<BootTime> next_boot_time(const LeaseTimes& times,
                                                         bool is_lost) const;

  private:
    void signal(int signal);

    pid_t front_;
    OnLost on_lost_;
    Fd handle_;
    process::Root root_{};
    bool is_front_gone_ = false;
    bool front_acts_ = false;
    bool acted_ = false; // we have, on the doubt that there is
    BootTime next_kill_{};
};

} // namespace ipcbox::cluster
