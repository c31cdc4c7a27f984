// A program that runs beside us while we collect its output. Nothing here waits: the caller polls.
#pragma once

#include "core/child.h"
#include "core/deadline.h"
#include "core/fd.h"

#include <array>
#include <optional>
#include <poll.h>
#include <span>
#include <string>

namespace ipcbox::dialog {

class CapturedCommand {
  public:
    struct Limits {
        std::size_t bytes;
        Duration time;
    };

    // Starts PROGRAM in a process group of its own, with /dev/null as its input and with our
    // stderr. Throws as spawn() does.
    CapturedCommand(const std::string& program, std::span<const std::string> arguments,
                    Limits limits);
    // Kills a program that still runs, and all processes that it has started.
    ~CapturedCommand();
    CapturedCommand(const CapturedCommand&) = delete;
    CapturedCommand& operator=(const CapturedCommand&) = delete;

    // Call work() when one of these is ready, and when deadline() has passed.
    [[nodiscard]] std::array<pollfd, 2> poll_entries() const {
        return {pollfd{output_.get(), POLLIN, 0}, pollfd{child_.pidfd(), POLLIN, 0}};
    }
    [[nodiscard]] Deadline deadline() const { return deadline_; }

    struct Outcome {
        std::string output;
        std::string error; // why the output cannot be used; empty when it can
    };
    // The outcome, once the program has ended or was killed at a limit; nothing before that.
    // Processes that it left running in its group are killed.
    [[nodiscard]] std::optional<Outcome> work();

  private:
    void collect();
    [[nodiscard]] WaitStatus end();

    Limits limits_;
    Deadline deadline_;
    Fd output_;
    Child child_;
    std::string collected_;
};

} // namespace ipcbox::dialog
