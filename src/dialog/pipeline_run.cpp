#include "dialog/pipeline_run.h"

#include "core/poll.h"
#include "core/process_stat.h"
#include "process/tree_signals.h"

#include <algorithm>
#include <unistd.h>

namespace ipcbox::dialog {

namespace {

// Call it before the first stage starts, so that no descendant of a stage can get away.
const PipelineLimits& prepared_for(const PipelineLimits& limits) {
    if (limits.time || limits.line) process::adopt_orphans();
    return limits;
}

} // namespace

PipelineRun::PipelineRun(std::span<const PipelineStage> stages, const PipelineStreams& streams,
                         const PipelineLimits& limits, PipelineWatch watch)
    : limits_(prepared_for(limits)), watch_(std::move(watch)),
      next_look_(Deadline::after_or_never(watch_.every)),
      limit_(Deadline::after_or_never(limits.time)), pipeline_(stages, streams) {}

std::vector<StageEnd> PipelineRun::to_end() {
    while (!pipeline_.has_ended()) {
        auto entries = pipeline_.poll_entries();
        entries.push_back({signals_.fd(), POLLIN, 0});
        (void)poll_until(entries, std::min(next_deadline(), next_look_));
        pass_signals_on();
        pipeline_.work(entries);
        look();
        if (!pipeline_.has_ended() && next_deadline().passed()) end_stages();
    }
    take_back_write_signals(); // from the last write of a tap
    return pipeline_.ends();
}

void PipelineRun::look() {
    if (!next_look_.passed()) return;
    watch_.look(pipeline_.pids());
    next_look_ = Deadline::after_or_never(watch_.every);
}

Deadline PipelineRun::next_deadline() const {
    const auto last_line = pipeline_.last_line();
    if (!late_.empty() || !limits_.line || !last_line) return limit_;
    const auto quiet = Deadline::Clock::now() - *last_line;
    return std::min(limit_, Deadline::after(*limits_.line - quiet));
}

// Passes on signals of other processes only. The terminal's signals reach the stages without us,
// because they are in our process group. But only the leader of its session, as which ssh(1) and
// terminal emulators start us, learns that the terminal has hung up.
void PipelineRun::pass_signals_on() {
    while (const auto event = signals_.next_event()) {
        const bool is_hang_up = event->number == SIGHUP && ::getsid(0) == ::getpid();
        if ((event->from_process || is_hang_up) && event->number != SIGPIPE)
            pipeline_.signal(event->number);
    }
}

void PipelineRun::end_stages() {
    const bool is_first_time = late_.empty();
    if (is_first_time) late_ = pipeline_.running();
    const int signal = is_first_time ? SIGTERM : SIGKILL;
    if (has_own_proc()) {
        (void)process::signal_own_tree(signal);
    } else { // we cannot find the processes below the stages
        pipeline_.signal(signal);
        pipeline_.signal(SIGCONT);
    }
    limit_ = is_first_time ? Deadline::after(limits_.kill_after) : Deadline::never();
}

} // namespace ipcbox::dialog
