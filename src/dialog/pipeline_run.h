// A pipeline from its start to its end, in our place: signals that we get go to its stages, and
// limits of time end them.
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

// Now and then a look at the stages that run.
struct PipelineWatch {
    std::optional<Duration> every{}; // nothing: no look
    std::function<void(std::span<const pid_t>)> look{};
};

class PipelineRun {
  public:
    // Starts it. With a limit we become a subreaper, so that what the stages start can be ended
    // with them. The last stage has to be watched for lines when LIMITS has one for them. Throws as
    // Pipeline does.
    PipelineRun(std::span<const PipelineStage> stages, const PipelineStreams& streams,
                const PipelineLimits& limits, PipelineWatch watch = {});

    // Waits for the end of all stages. Throws SysError when a copy cannot be written.
    [[nodiscard]] std::vector<StageEnd> to_end();
    // The stages that still ran when a limit passed, by position: empty when none did.
    [[nodiscard]] const std::vector<std::size_t>& late() const { return late_; }

  private:
    [[nodiscard]] Deadline next_deadline() const;
    void look();
    void pass_signals_on();
    void end_stages();

    PipelineLimits limits_;
    PipelineWatch watch_;
    Deadline next_look_;
    SignalFd signals_{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE};
    Deadline limit_;
    std::vector<std::size_t> late_;
    Pipeline pipeline_;
};

} // namespace ipcbox::dialog
