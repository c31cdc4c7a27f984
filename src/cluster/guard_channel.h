// Lines between the two processes that guard a command: the front, its parent, and the keeper of
// its lease. Nothing here waits, since either of them may be stopped while the other has to go on.
//
// The keeper says
//     note TEXT          a line for the user
//     lease LEASE REV    its place in the queue, with which another keeper can go on
//     inside FENCE KEY   the token is ours; the command may be started, and will ask for leave
//     renewed WHEN TTL   the lease lives; WHEN is in nanoseconds of BootClock, TTL too
//     gone TEXT          the lease is over: the command has to end
//     end STATUS TEXT    no command will run; TEXT says why, if it is not empty
//     why TEXT           this keeper fails; another one can go on
//     given              the token is back
// and the front says
//     give               give the token back, and end
//     doubt              I have told the command to end, since the lease was not renewed in time
//     command PID        with KeeperPlan::owner: this command now waits for it, after another one
#pragma once

#include "cluster/lease_times.h"
#include "core/fd.h"

#include <optional>
#include <poll.h>
#include <string>
#include <string_view>

namespace ipcbox::cluster {

class GuardChannel {
  public:
    GuardChannel() = default;
    explicit GuardChannel(Fd socket) : socket_(std::move(socket)) {}

    // What to wait for before next() and flush().
    [[nodiscard]] pollfd poll_entry() const {
        return {socket_.get(), static_cast<short>(has_unsent() ? POLLIN | POLLOUT : POLLIN), 0};
    }
    [[nodiscard]] bool has_unsent() const { return !unsent_.empty() || untold_.has_value(); }
    // The other end is closed, and next() has returned all of its lines.
    [[nodiscard]] bool is_ended() const { return ended_ && received_.empty(); }

    // Sends a line, now or in flush(). Line feeds in it become spaces.
    void say(std::string_view line);
    // Sends "renewed"; it replaces one that was not sent yet, so that nothing grows while the
    // reader is stopped.
    void say_renewed(const LeaseTimes& times);
    void flush();

    // The next line that came; nothing when none is complete.
    [[nodiscard]] std::optional<std::string> next();

  private:
    void receive();

    Fd socket_;
    std::string unsent_;
    std::optional<LeaseTimes> untold_;
    std::string received_;
    bool ended_ = false;
};

// WHEN and TTL of "renewed"; the grace stays.
void update(LeaseTimes& times, std::string_view when_and_ttl);

} // namespace ipcbox::cluster
