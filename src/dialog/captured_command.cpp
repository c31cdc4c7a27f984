#include "dialog/captured_command.h"

#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/spawn.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>

namespace ipcbox::dialog {

CapturedCommand::CapturedCommand(const std::string& program, std::span<const std::string> arguments,
                                 Limits limits)
    : limits_(limits), deadline_(Deadline::after(limits.time)) {
    Pipe pipe = make_pipe();
    const Fd null = open_file("/dev/null", O_RDONLY);
    child_ = spawn(program, arguments,
                   {.input = null.get(), .output = pipe.writer.get(), .group = ProcessGroup::own});
    output_ = std::move(pipe.reader);
}

CapturedCommand::~CapturedCommand() {
    child_.kill_group(SIGKILL);
}

void CapturedCommand::collect() {
    std::array<std::byte, 16384> buffer;
    while (output_ && collected_.size() <= limits_.bytes &&
           wait_for(output_.get(), POLLIN, Deadline::after(Duration::zero()))) {
        const std::size_t got = read_some(output_.get(), buffer, "the output of a command");
        if (got == 0) output_ = Fd{};
        collected_.append(reinterpret_cast<const char*>(buffer.data()), got);
    }
}

// Until we wait for the command, no other group has its number.
WaitStatus CapturedCommand::end() {
    child_.kill_group(SIGKILL);
    return child_.wait();
}

std::optional<CapturedCommand::Outcome> CapturedCommand::work() {
    const bool has_ended = wait_for(child_.pidfd(), POLLIN, Deadline::after(Duration::zero()));
    // The command has ended, so the pipe has all of its output.
    collect();
    const bool too_much = collected_.size() > limits_.bytes;
    if (!has_ended && !too_much && !deadline_.passed()) return std::nullopt;
    const WaitStatus status = end();
    if (too_much) return Outcome{{}, fmt::format("more than {} bytes", limits_.bytes)};
    if (has_ended && status.succeeded()) return Outcome{std::move(collected_), {}};
    if (has_ended) return Outcome{{}, status.text()};
    return Outcome{{}, fmt::format("not done after {} s", in_seconds(limits_.time))};
}

} // namespace ipcbox::dialog
