// Ending a process in stages: first by signals that it can handle, and finally by KILL.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::process {

// A signal, and how long to wait for the end before the next stage; nothing means as long as it
// takes.
struct Stage {
    int signal = 0;
    std::optional<Duration> wait{};

    friend bool operator==(const Stage&, const Stage&) = default;
};
using Stages = std::vector<Stage>;

// "TERM:10s,INT:3s,KILL", or in the form of start-stop-daemon(8), "TERM/10/KILL/5". Only the last
// stage can be without a wait. Throws std::invalid_argument with what was expected.
[[nodiscard]] Stages parse_stages(std::string_view text);

// "TERM:10s,KILL"
[[nodiscard]] std::string stages_text(std::span<const Stage> stages);

// Sends SIGNAL to a process, and CONT after it, because a stopped process would not act on SIGNAL.
// False when the process has ended. Throws SysError (EPERM).
bool signal_and_wake(const Fd& pidfd, int signal);

// How processes that are not our children ended.
struct Ending {
    int signal = 0;         // of the stage in which it ended; 0: it had ended before, or has not
    bool has_ended = false; // by the end of the last stage
    Duration after{};       // since the first stage began
    std::string failure{};  // why it could not be signalled; empty when it could
};

// Goes through the stages until all PROCESSES (pidfds) have ended. Returns how each of them ended,
// in their order. Calls ON_END as each ends, with its position.
[[nodiscard]] std::vector<Ending>
end_in_stages(std::span<const Fd> processes, std::span<const Stage> stages,
              const std::function<void(std::size_t, const Ending&)>& on_end);

} // namespace ipcbox::process
