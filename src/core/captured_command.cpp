#include "core/captured_command.h"

#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>

namespace ipcbox {

CapturedCommand::CapturedCommand(const std::string& program, std::span<const std::string> arguments,
                                 Limits limits)
    : limits_(limits), deadline_(Deadline::after(limits.time)) {
    Pipe pipe = make_pipe();
    const Fd null = open_file("/dev/null", O_RDONLY);
    child_ = spawn(program, arguments, {.input = null.get(), .output = pipe.writer.get()},
                   ProcessGroup::own);
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

CapturedCommand::Outcome CapturedCommand::give_up(std::string reason) {
    child_.kill_group(SIGKILL);
    child_.wait();
    return {{}, std::move(reason)};
}

std::optional<CapturedCommand::Outcome> CapturedCommand::work() {
    const auto status = [this]() -> std::optional<WaitStatus> {
        if (!wait_for(child_.pidfd(), POLLIN, Deadline::after(Duration::zero())))
            return std::nullopt;
        return child_.wait();
    }();
    // What was printed before the end is in the pipe by the end.
    collect();
    if (collected_.size() > limits_.bytes)
        return status ? Outcome{{}, fmt::format("more than {} bytes", limits_.bytes)}
                      : give_up(fmt::format("more than {} bytes", limits_.bytes));
    if (status) {
        if (!status->succeeded()) return Outcome{{}, status->text()};
        return Outcome{std::move(collected_), {}};
    }
    if (!deadline_.passed()) return std::nullopt;
    const auto seconds = std::chrono::duration<double>{limits_.time}.count();
    return give_up(fmt::format("not done after {} s", seconds));
}

} // namespace ipcbox
