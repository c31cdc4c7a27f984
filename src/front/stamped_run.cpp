#include "front/stamped_run.h"

#include "cli/output.h"
#include "core/error.h"
#include "core/io.h"
#include "core/path.h"
#include "core/poll.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fmt/ranges.h>
#include <unistd.h>

namespace ipcbox::front {

using dialog::LineText;
using dialog::Moment;
using dialog::Piece;
using dialog::Stamp;
using dialog::Stream;

namespace {

// Text is written in pieces of this size.
constexpr std::size_t full = 256UL * 1024;

template <class Clock> Moment time_of() {
    return Clock::now().time_since_epoch();
}
Moment steady_now() {
    return time_of<std::chrono::steady_clock>();
}

bool wants_colours(const StampedRunPlan& plan) {
    const auto is = [](const char* name, std::string_view value) {
        const char* const found = std::getenv(name);
        return found != nullptr && found == value;
    };
    const char* const refusal = std::getenv("NO_COLOR"); // no-color.org: any text that is not empty
    const bool is_refused = refusal != nullptr && *refusal != '\0';
    return cli::is_terminal(STDOUT_FILENO) && !plan.split_directory && !is_refused &&
           !is("TERM", "dumb");
}

// One sink for all streams, or one for each.
std::vector<Sink> make_sinks(const StampedRunPlan& plan) {
    std::vector<Sink> sinks;
    if (!plan.split_directory) {
        sinks.emplace_back();
        return sinks;
    }
    make_directories(*plan.split_directory);
    for (const auto* const name : {"/stdout", "/stderr", "/info"})
        sinks.emplace_back(*plan.split_directory + name);
    return sinks;
}

} // namespace

Stamp StampedRunPlan::stamp(Moment start) const {
    if (format) return Stamp{*format, kind, start};
    if (!json) return Stamp{"%H:%M:%S", kind, start};
    return Stamp{kind == Stamp::Kind::utc ? "%Y-%m-%dT%H:%M:%S.%6NZ" : "%.s", kind, start};
}

StampedRun::Side::Side(Stream kind, std::string title, const std::optional<std::string>& copy)
    : stream(kind), name(std::move(title)) {
    if (copy) tee.emplace(*copy);
}

StampedRun::StampedRun(const StampedRunPlan& plan, const Command& command)
    : plan_(plan), words_(command.words()),
      steady_start_(time_of<std::chrono::system_clock>() - steady_now()),
      lines_(plan.json ? LineText::Form::json : LineText::Form::text,
             wants_colours(plan) ? LineText::Colours::some : LineText::Colours::none),
      output_(Stream::output, "the command's output", plan.tee_output),
      error_(Stream::error, "the command's error messages", plan.tee_error),
      sinks_(make_sinks(plan)), stamp_(plan.stamp(now())),
      command_(command.program(), command.words(), supervise_plan()) {
    text_.reserve(full + LineText::max_line);
    output_.pipe.writer = Fd{};
    error_.pipe.writer = Fd{};
}

WaitStatus StampedRun::to_end() {
    inform(fmt::format("Started {}", fmt::join(words_, " ")));
    while (!is_told_to_stop_ && (output_.pipe.reader || error_.pipe.reader || !command_.status())) {
        std::array entries{pollfd{output_.pipe.reader.get(), POLLIN, 0},
                           pollfd{error_.pipe.reader.get(), POLLIN, 0},
                           pollfd{command_.fd(), POLLIN, 0}};
        (void)poll_until(entries, next_due());
        if (entries[0].revents != 0) read(output_);
        // If a write has just failed, both pipes are closed.
        if (entries[1].revents != 0 && error_.pipe.reader) read(error_);
        for (auto* const side : {&output_, &error_})
            show_unfinished(*side);
        write_out(Stream::output);
        if (entries[2].revents != 0) command_.handle();
    }
    const auto status = *command_.status();
    inform(fmt::format("Finished with exitcode {}", status.as_exit_status()));
    take_back_write_signals(); // status_after() decides the status
    return status;
}

int StampedRun::status_after(WaitStatus status) const {
    if (!status.succeeded()) return process::end_as(status);
    if (!plan_.split_directory && sinks_.front().error() == EPIPE)
        return process::end_as(WaitStatus::killed(SIGPIPE, false));
    const auto has_failed = [](const Sink& sink) { return !sink.works(); };
    if (std::any_of(sinks_.begin(), sinks_.end(), has_failed)) return exit_status::failed;
    for (const auto* const side : {&output_, &error_})
        if (side->tee && !side->tee->works()) return exit_status::failed;
    if (!plan_.fail_on_stderr || !error_.has_written) return exit_status::done;
    cli::diagnose(words_.front() + " wrote to standard error");
    return exit_status::failed;
}

process::SupervisePlan StampedRun::supervise_plan() {
    process::SupervisePlan plan;
    plan.output = output_.pipe.writer.get();
    plan.error = error_.pipe.writer.get();
    plan.retry = &plan_.fork_retry;
    plan.on_signal = [this](const SignalEvent& event) { return on_signal(event); };
    return plan;
}

bool StampedRun::on_signal(const SignalEvent& event) {
    if (asks_to_end(event.number) && command_.status()) is_told_to_stop_ = true;
    return true;
}

Moment StampedRun::now() const {
    return plan_.monotonic ? steady_now() + steady_start_ : time_of<std::chrono::system_clock>();
}

// When the next unfinished line has to be shown.
Deadline StampedRun::next_due() const {
    auto next = Deadline::never();
    for (const auto* const side : {&output_, &error_})
        if (const auto due = side->splitter.due())
            next = std::min(next, Deadline::after(*due - steady_now()));
    return next;
}

void StampedRun::read(Side& side) {
    const auto space = side.splitter.space();
    const auto count = read_some(side.pipe.reader.get(), space, side.name);
    const auto time = now();
    if (count == 0) {
        side.pipe.reader = Fd{};
        if (const auto piece = side.splitter.rest(dialog::LineSplitter::Rest::last))
            add(side.stream, *piece, time);
        return;
    }
    side.has_written = true;
    const std::string_view bytes{reinterpret_cast<const char*>(space.data()), count};
    if (side.tee) side.tee->write(bytes, [this](int fd) { return wait_to_write(fd); });
    side.splitter.add(count, steady_now());
    split(side, time);
}

// Shows the complete lines.
void StampedRun::split(Side& side, Moment time) {
    // Lines that came together have no time between them, so all of them except the first have the
    // same stamp.
    int new_stamps = plan_.kind == Stamp::Kind::since_last ? 2 : 1;
    while (const auto piece = side.splitter.next()) {
        if (new_stamps-- > 0) begin(side.stream, time);
        lines_.append(text_, *piece);
        if (text_.size() >= full) write_out(side.stream);
    }
    if (sinks_.size() > 1) write_out(side.stream);
}

void StampedRun::show_unfinished(Side& side) {
    const auto due = side.splitter.due();
    if (!due || *due > steady_now()) return;
    if (const auto piece = side.splitter.rest(dialog::LineSplitter::Rest::so_far))
        add(side.stream, *piece, now());
}

void StampedRun::inform(std::string text) {
    if (plan_.quiet) return;
    if (!plan_.json) std::replace(text.begin(), text.end(), '\n', ' ');
    add(Stream::information, {text}, now());
    write_out(Stream::information);
}

void StampedRun::add(Stream stream, const Piece& piece, Moment time) {
    begin(stream, time);
    lines_.append(text_, piece);
    if (sinks_.size() > 1) write_out(stream);
}

void StampedRun::begin(Stream stream, Moment time) {
    lines_.begin(stream, stamp_.at(time));
}

void StampedRun::write_out(Stream stream) {
    auto& sink = sinks_.size() == 1 ? sinks_.front() : sinks_[static_cast<std::size_t>(stream)];
    sink.write(text_, [this](int fd) { return wait_to_write(fd); });
    text_.clear();
    // If the only sink has failed, close the pipes: the command notices at its next write. If one
    // of several files has failed, only that file is given up.
    if (sinks_.size() == 1 && !sink.works())
        for (auto* const side : {&output_, &error_})
            side->pipe.reader = Fd{};
}

// Waits until FD can be written, and passes signals on in the meantime.
bool StampedRun::wait_to_write(int fd) {
    for (;;) {
        std::array entries{pollfd{fd, POLLOUT, 0}, pollfd{command_.fd(), POLLIN, 0}};
        (void)poll_until(entries,
                         is_told_to_stop_ ? Deadline::after(Duration::zero()) : Deadline::never());
        if (entries[0].revents != 0) return true;
        if (is_told_to_stop_) return false;
        command_.handle();
    }
}

} // namespace ipcbox::front
