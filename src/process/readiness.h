// Decides when a new daemon is up: when it says so, or when it has run for a while.
#pragma once

#include "core/child.h"
#include "core/deadline.h"
#include "core/fd.h"
#include "core/pipe.h"
#include "core/signals.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::process {

struct ReadyPlan {
    bool by_descriptor = false;          // it writes a line to a descriptor, as s6 has it
    bool by_notification = false;        // it sends READY=1 to $NOTIFY_SOCKET: sd_notify(3)
    std::optional<uid_t> user{};         // beside root and us, whose notifications count
    std::optional<std::uint16_t> port{}; // it listens on this TCP port, it or a descendant
    // A line of its output says so. It is looked for in FILES, from their present end on, or told
    // by the daemon's keeper.
    std::function<bool(std::string_view)> is_ready_line{};
    std::vector<std::string> files{};
    // Of several conditions all have to be met. Without one, it is up when it has run this long;
    // and if it closes its descriptor, it has this long to end.
    Duration settle{};
    std::optional<Duration> limit{}; // for the conditions
};

class Readiness {
  public:
    // To be made before the daemon is started. Throws SysError.
    explicit Readiness(ReadyPlan plan);

    // The descriptor of ours that the daemon has to get; -1 when there is none.
    [[nodiscard]] int descriptor() const { return pipe_.writer.get(); }
    // The value of NOTIFY_SOCKET that it has to get.
    [[nodiscard]] const std::optional<std::string>& socket_name() const { return socket_name_; }

    struct Outcome {
        enum class Kind {
            up,        // it still runs
            ready,     // it met the conditions
            ended,     // with STATUS
            hung_up,   // it closed the descriptor without a line
            timed_out, // MISSING says what it did not do
            stopped    // SIGNAL came for us
        };
        Kind kind = Kind::up;
        std::optional<WaitStatus> status{};
        std::string missing{};
        int signal = 0;
    };
    // DAEMON was started; CHANNEL is that of its keeper, or empty. It is closed where the keeper
    // has to end. A signal of SIGNALS ends the wait.
    [[nodiscard]] Outcome wait(Child& daemon, Fd& channel, SignalFd& signals);

  private:
    struct Followed {
        Fd file;
        std::string begun{};
    };
    void listen_for_notification();
    [[nodiscard]] bool has_conditions() const;
    [[nodiscard]] std::string missing() const;
    void read_notifications();
    void read_logs();
    // False when it ended.
    [[nodiscard]] bool read_channel(const Fd& channel);
    // False when it was closed.
    [[nodiscard]] bool read_descriptor();
    void read_all();

    ReadyPlan plan_; // each condition that was met is taken out
    Pipe pipe_;
    Fd socket_;
    std::optional<std::string> socket_name_;
    std::vector<Followed> followed_;
    std::string heard_; // from the keeper
};

} // namespace ipcbox::process
