#include "cli/line_queue.h"

#include "core/error.h"
#include "core/io.h"

#include <fmt/core.h>
#include <thread>
#include <utility>

namespace ipcbox::cli {

namespace {

constexpr std::size_t capacity = 1024UL * 1024;
constexpr auto last_wait = std::chrono::seconds{1};

} // namespace

// Outlives the queue in the thread, which may hang in a write for as long as the process lives.
struct LineQueue::State {
    explicit State(int number) : fd(number) {}

    const int fd;
    std::mutex mutex;
    std::condition_variable filled;
    std::condition_variable written;
    std::string pending;
    std::uint64_t lost = 0;
    bool writing = false;
    bool failed = false;
    bool ended = false;
};

LineQueue::LineQueue(int fd) : state_(std::make_shared<State>(fd)) {
    std::thread{[state = state_] { write_lines(state); }}.detach();
}

LineQueue::~LineQueue() {
    flush();
    const std::lock_guard lock{state_->mutex};
    state_->ended = true;
    state_->filled.notify_one();
}

void LineQueue::add(std::string_view line) {
    const std::lock_guard lock{state_->mutex};
    if (state_->pending.size() + line.size() > capacity) {
        ++state_->lost;
        return;
    }
    state_->pending += line;
    if (!state_->writing) state_->filled.notify_one();
}

void LineQueue::flush() {
    std::unique_lock lock{state_->mutex};
    state_->written.wait_for(lock, last_wait,
                             [&] { return state_->pending.empty() && !state_->writing; });
}

bool LineQueue::failed() {
    const std::lock_guard lock{state_->mutex};
    return state_->failed;
}

void LineQueue::write_lines(const std::shared_ptr<State>& state) {
    std::unique_lock lock{state->mutex};
    for (;;) {
        state->filled.wait(lock, [&] { return !state->pending.empty() || state->ended; });
        if (state->pending.empty()) return;
        std::string lines;
        lines.swap(state->pending);
        if (const auto lost = std::exchange(state->lost, 0); lost > 0)
            lines += fmt::format("({} lines lost: nobody read them in time)\n", lost);
        state->writing = true;
        lock.unlock();
        bool good = true;
        try {
            write_all(state->fd, lines, "lines");
        } catch (const std::exception&) {
            good = false;
        }
        lock.lock();
        state->writing = false;
        state->failed = state->failed || !good;
        if (state->pending.empty()) state->written.notify_all();
    }
}

} // namespace ipcbox::cli
