// One run of a command for a client: without a shell, in a process group of its own, with /dev/null
// as its input; both its outputs come to us. A command that outlasts its time, writes too much, or
// whose client has gone is killed with all of its group.
#pragma once

#include "commands/language.h"
#include "commands/rates.h"
#include "core/environment.h"
#include "core/fd.h"
#include "core/signals.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ipcbox::commands {

struct Outcome {
    enum class End { ended, timed_out, wrote_too_much, client_gone, stopped, busy, too_often };
    End end = End::ended;
    int status = 0;          // of the command, as a shell has it
    std::uint64_t bytes = 0; // that the command wrote and the client gets
};

// Settings that all runs of commands share.
struct Surroundings {
    int client = -1;         // a socket: the run ends when it is gone
    SignalFd& signals;       // the run ends at the first signal
    Environment environment; // without the command's own
    int places = -1;         // a file whose bytes are locked for Command::concurrency
    Rates& rates;            // for Command::rate
};

// Runs the command that has INDEX in its file with WORDS, and gives its output to SINK piece by
// piece. Throws Error when it cannot be started, and what SINK throws.
[[nodiscard]] Outcome run(const Command& command, std::size_t index,
                          const std::vector<std::string>& words, const Surroundings& surroundings,
                          const std::function<void(std::string_view)>& sink);

} // namespace ipcbox::commands
