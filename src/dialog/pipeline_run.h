// Runs a pipeline from its start to its end: passes our signals on to its stages, and ends them at
// time limits.
#pragma once

#include "core/signals.h"
#include "dialog/pipeline.h"

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace ipcbox::dialog {

struct PipelineLimits {
    std::optional<Duration> time{};         // for all of it
    std::optional<Duration> line{};         // from one line of the last stage to its next
    Duration kill_after = Duration::zero(); // from TERM to KILL
};

// A function that looks at the running stages at an interval.
struct PipelineWatch {
    std::optional<Duration> every{}; // nothing: no look
    std::function<void(std::span<const pid_t>)> look{};
};

class PipelineRun {
  public:
    // Starts it. With a limit we become a subreaper, so that the processes that the stages start
    // can be ended too. If LIMITS has a limit for lines, the last stage has to be watched for
    // lines. Throws as Pipeline does.
    PipelineRun(std::span<const PipelineStage> stages, const PipelineStreams& streams,
                const PipelineLimits& limits, PipelineWatch watch = {});

    // Waits for the end of all stages. Throws SysError.
    [[nodiscard]] std::vector<StageEnd> to_end();
    // The stages that still ran when a limit passed, by position: empty when none did.
    [[nodiscard]] const std::vector<std::size_t>& late() const { return late_; }

    // Why the copies that could not be written are not whole.
    [[nodiscard]] std::vector<std::string> failures() const { return pipeline_.failures(); }

  private:
    [[nodiscard]] Deadline next_deadline() const;
    void look();
    void pass_signals_on();
    void end_stages();

    PipelineLimits limits_;
    PipelineWatch watch_;
    Deadline next_look_;
    HarmlessWriteSignals file_limit_{SIGXFSZ}; // of the taps
    SignalFd signals_{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE};
    Deadline limit_;
    std::vector<std::size_t> late_;
    Pipeline pipeline_;
};

} // namespace ipcbox::dialog
