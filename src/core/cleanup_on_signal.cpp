#include "core/cleanup_on_signal.h"

#include "core/pipe.h"
#include "core/poll.h"
#include "core/thread.h"

#include <array>

namespace ipcbox {

CleanupOnSignal::CleanupOnSignal(SignalFd& signals, std::function<void()> cleanup)
    : signals_(signals), cleanup_(std::move(cleanup)) {
    Pipe pipe = make_pipe();
    stop_ = std::move(pipe.writer);
    watcher_ = start_thread([this, stop = std::move(pipe.reader)] { watch(stop.get()); });
}

CleanupOnSignal::~CleanupOnSignal() {
    stop_ = Fd{};
}

void CleanupOnSignal::watch(int stop) noexcept {
    std::array<pollfd, 2> entries{{{signals_.fd(), POLLIN, 0}, {stop, POLLIN, 0}}};
    (void)poll_until(entries, Deadline::never());
    const auto signal = signals_.next();
    if (!signal) return;
    try {
        cleanup_();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): nobody is left to tell
    }
    die_of(*signal);
}

} // namespace ipcbox
