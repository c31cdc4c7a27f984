// Programs that are connected as in a shell's a | b | c: the standard output of each is the
// standard input of the next one. Nothing here waits: the caller polls.
#pragma once

#include "core/child.h"
#include "core/deadline.h"
#include "core/spawn.h"
#include "dialog/tap.h"

#include <cstdint>
#include <list>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <vector>

namespace ipcbox::dialog {

struct PipelineStage {
    std::string program;                // a path
    std::span<const std::string> words; // the name it is called by, then its arguments
    const Credentials* user = nullptr;  // null: we are the user
    std::string copy = {};              // the file that gets a copy of its output; empty: none
    bool watches_lines = false;         // tells last_line() of its output
    Tap::Listener listener = {};        // is given its output
};

// Our descriptors that the whole pipeline reads and writes, and how it is started.
struct PipelineStreams {
    int input = SpawnPlan::same;
    int output = SpawnPlan::same;
    int error = SpawnPlan::same;
    const ForkRetry* retry = nullptr; // as SpawnPlan has it
};

// How a stage ended.
struct StageEnd {
    WaitStatus status;
    Duration time{}; // that it ran
    Duration cpu{};
    std::optional<std::uint64_t> bytes{}; // that it wrote, where we have seen them
};

// The stages that failed, by position. A broken pipe ends a stage whose reader has seen enough.
// That is no failure if a later stage succeeded, unless STRICT.
enum class BrokenPipe { excused, strict };
[[nodiscard]] std::vector<std::size_t> failed_stages(std::span<const StageEnd> ends,
                                                     BrokenPipe broken_pipe);

class Pipeline {
  public:
    // Starts all stages, from left to right. They stay in our process group, and the kernel kills
    // them when we die. Throws as spawn() does, and then no stage is left running.
    Pipeline(std::span<const PipelineStage> stages, const PipelineStreams& streams);
    // Kills the stages that still run.
    ~Pipeline() = default;
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    // Call work() with these once poll(2) has filled them in. Throws SysError.
    [[nodiscard]] std::vector<pollfd> poll_entries() const;
    void work(std::span<const pollfd> entries);
    [[nodiscard]] bool has_ended() const;
    // Once it has.
    [[nodiscard]] std::vector<StageEnd> ends() const;

    // Why the copies that could not be written are not whole.
    [[nodiscard]] std::vector<std::string> failures() const;

    // The stages that still run, by position, and a signal for each of them.
    [[nodiscard]] std::vector<std::size_t> running() const;
    void signal(int number) const;
    [[nodiscard]] std::vector<pid_t> pids() const; // of those that still run
    // When the last stage that is watched wrote its last line.
    [[nodiscard]] std::optional<Deadline::Clock::time_point> last_line() const;

  private:
    struct Running {
        Child child;
        Tap* tap = nullptr; // of its output
        Deadline::Clock::time_point start;
        std::optional<StageEnd> end;
    };

    std::list<Tap> taps_;
    std::vector<Running> stages_;
};

} // namespace ipcbox::dialog
