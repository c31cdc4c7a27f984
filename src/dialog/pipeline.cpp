#include "dialog/pipeline.h"

#include "core/pipe.h"
#include "core/signals.h"

#include <algorithm>
#include <csignal>
#include <unistd.h>

namespace ipcbox::dialog {

std::vector<std::size_t> failed_stages(std::span<const StageEnd> ends, BrokenPipe broken_pipe) {
    std::vector<std::size_t> failed;
    bool later_one_succeeded = false;
    for (std::size_t stage = ends.size(); stage-- > 0;) {
        const auto& status = ends[stage].status;
        const bool is_excused =
            later_one_succeeded && broken_pipe == BrokenPipe::excused && status.is_broken_pipe();
        if (status.succeeded())
            later_one_succeeded = true;
        else if (!is_excused)
            failed.insert(failed.begin(), stage);
    }
    return failed;
}

Pipeline::Pipeline(std::span<const PipelineStage> stages, const PipelineStreams& streams) {
    Fd input; // input of the next stage
    for (const auto& stage : stages) {
        const bool is_last = &stage == &stages.back();
        const bool is_first = &stage == &stages.front();
        Pipe next = is_last ? Pipe{} : make_pipe();
        Running running;
        if (!stage.copy.empty() || stage.watches_lines || stage.listener) {
            Pipe own = make_pipe();
            if (is_last)
                next.writer =
                    duplicate(streams.output == SpawnPlan::same ? STDOUT_FILENO : streams.output,
                              "standard output");
            running.tap = &taps_.emplace_back(std::move(own.reader), std::move(next.writer),
                                              stage.copy, stage.listener);
            next.writer = std::move(own.writer);
        }
        SpawnPlan plan;
        plan.input = is_first ? streams.input : input.get();
        plan.output = next.writer ? next.writer.get() : streams.output;
        plan.error = streams.error;
        plan.user = stage.user;
        plan.death_signal = SIGKILL;
        // When the next stage has read enough, this stage has to die of SIGPIPE, and not report an
        // error.
        const sigset_t pipe_signal = signal_set({SIGPIPE});
        plan.default_signals = &pipe_signal;
        plan.retry = streams.retry;
        running.start = Deadline::Clock::now();
        running.child = spawn(stage.program, stage.words, plan);
        stages_.push_back(std::move(running));
        input = std::move(next.reader);
    }
}

std::vector<pollfd> Pipeline::poll_entries() const {
    std::vector<pollfd> entries;
    for (const auto& tap : taps_)
        if (!tap.is_over()) entries.push_back(tap.poll_entry());
    for (const auto& stage : stages_)
        if (!stage.end) entries.push_back({stage.child.pidfd(), POLLIN, 0});
    return entries;
}

void Pipeline::work(std::span<const pollfd> entries) {
    auto entry = entries.begin();
    for (auto& tap : taps_)
        if (!tap.is_over() && (entry++)->revents != 0) tap.work();
    for (auto& stage : stages_) {
        if (stage.end || (entry++)->revents == 0) continue;
        if (const auto end = stage.child.reap_if_ended())
            stage.end = StageEnd{end->status, Deadline::Clock::now() - stage.start, end->cpu};
    }
}

bool Pipeline::has_ended() const {
    return std::ranges::all_of(stages_,
                               [](const Running& stage) { return stage.end.has_value(); }) &&
           std::ranges::all_of(taps_, [](const Tap& tap) { return tap.is_over(); });
}

std::vector<StageEnd> Pipeline::ends() const {
    std::vector<StageEnd> ends;
    for (const auto& stage : stages_) {
        ends.push_back(*stage.end);
        if (stage.tap == nullptr) continue;
        ends.back().bytes = stage.tap->bytes();
        // Without the tap, PIPE would have killed it in its last write.
        if (stage.tap->loses_data() && ends.back().status.succeeded())
            ends.back().status = WaitStatus::killed(SIGPIPE, false);
    }
    return ends;
}

std::vector<std::string> Pipeline::failures() const {
    std::vector<std::string> failures;
    for (const auto& tap : taps_)
        if (!tap.failure().empty()) failures.push_back(tap.failure());
    return failures;
}

std::vector<std::size_t> Pipeline::running() const {
    std::vector<std::size_t> running;
    for (std::size_t stage = 0; stage < stages_.size(); ++stage)
        if (!stages_[stage].end) running.push_back(stage);
    return running;
}

std::vector<pid_t> Pipeline::pids() const {
    std::vector<pid_t> pids;
    for (const auto& stage : stages_)
        if (!stage.end) pids.push_back(stage.child.pid());
    return pids;
}

void Pipeline::signal(int number) const {
    for (const auto& stage : stages_) {
        if (stage.end) continue;
        stage.child.kill(number);
        if (needs_wake(number)) stage.child.kill(SIGCONT);
    }
}

std::optional<Deadline::Clock::time_point> Pipeline::last_line() const {
    const auto& last = stages_.back();
    return last.tap == nullptr ? std::nullopt : std::optional{last.tap->last_line()};
}

} // namespace ipcbox::dialog
