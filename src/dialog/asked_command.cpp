#include "dialog/asked_command.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/spawn.h"

#include <algorithm>
#include <array>
#include <csignal>

namespace ipcbox::dialog {

AskedCommand::AskedCommand(const std::string& program, std::span<const std::string> words,
                           const ForkRetry* retry) {
    Pipe to = make_pipe();
    Pipe from = make_pipe();
    SpawnPlan plan;
    plan.input = to.reader.get();
    plan.output = from.writer.get();
    plan.death_signal = SIGKILL;
    plan.retry = retry;
    child_ = spawn(program, words, plan);
    input_ = std::move(to.writer);
    output_ = std::move(from.reader);
    set_nonblocking(input_);
}

void AskedCommand::watch(Duration every, std::function<void()> look) {
    every_ = every;
    look_ = std::move(look);
}

bool AskedCommand::wait(std::span<pollfd> entries, Deadline deadline) {
    for (;;) {
        if (poll_until(entries, std::min(deadline, Deadline::after_or_never(every_))) > 0)
            return true;
        if (deadline.passed()) return false;
        look_();
    }
}

bool AskedCommand::ask(std::string_view question, const Sink& sink, Deadline deadline) {
    const auto text = std::string{question} + '\n';
    std::string_view left = text;
    for (;;) {
        // Before the whole question is sent, no byte is part of its answer. But read such bytes
        // too.
        if (left.empty() && give_line(sink)) return true;
        std::array entries{pollfd{output_.get(), POLLIN, 0}, pollfd{input_.get(), POLLOUT, 0}};
        const std::size_t count = left.empty() ? 1 : 2;
        if (!wait(std::span{entries}.first(count), deadline)) throw TimedOut("no answer came");
        if (!left.empty() && entries[1].revents != 0) send_some(left);
        if (entries[0].revents != 0 && !receive()) {
            sink(received_);
            received_.clear();
            return false;
        }
        constexpr std::size_t max_received = 1024UL * 1024;
        if (received_.size() > max_received) {
            sink(received_);
            received_.clear();
        }
    }
}

// Does not fail when the program has closed its input, because it can still answer.
void AskedCommand::send_some(std::string_view& question) {
    try {
        question.remove_prefix(
            write_some(input_.get(), std::as_bytes(std::span{question}), "the command's input"));
    } catch (const SysError& error) {
        if (error.error() != EPIPE) throw;
        take_back_write_signals();
        question = {};
    }
}

// False at the end of the output.
bool AskedCommand::receive() {
    constexpr std::size_t max_piece = 64UL * 1024;
    const auto before = received_.size();
    received_.resize(before + max_piece);
    const auto into = std::as_writable_bytes(std::span{received_}.subspan(before));
    const auto size = read_some(output_.get(), into, "the command's output");
    received_.resize(before + size);
    return size > 0;
}

// Gives the next line to SINK. False when the line has not ended yet.
bool AskedCommand::give_line(const Sink& sink) {
    const auto end = received_.find('\n');
    const auto size = end == std::string::npos ? received_.size() : end + 1;
    sink(std::string_view{received_}.substr(0, size));
    received_.erase(0, size);
    return end != std::string::npos;
}

WaitStatus AskedCommand::finish(const Sink& sink, Deadline deadline) {
    input_ = Fd{};
    do {
        sink(received_);
        received_.clear();
        std::array entries{pollfd{output_.get(), POLLIN, 0}};
        if (!wait(entries, deadline)) throw TimedOut("the command's output did not end");
    } while (receive());
    const auto status = child_.wait_until(deadline);
    if (!status) throw TimedOut("the command did not end");
    return *status;
}

} // namespace ipcbox::dialog
