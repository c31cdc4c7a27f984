#include "cli/line_queue.h"

#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/thread.h"

#include <algorithm>
#include <climits>
#include <condition_variable>
#include <fmt/core.h>
#include <mutex>
#include <utility>

namespace ipcbox::cli {

namespace {

constexpr std::size_t capacity = 1024UL * 1024;
constexpr auto last_wait = std::chrono::seconds{1};

// The first lines of TEXT, at least one, that a pipe takes in one piece (pipe(7)).
std::string_view first_lines(std::string_view text) {
    const auto end = text.substr(0, PIPE_BUF).rfind('\n');
    return text.substr(0, end != std::string_view::npos ? end + 1 : text.find('\n') + 1);
}

} // namespace

// Shared with the thread, which may hang in a write long after the queue is gone, until the process
// ends.
struct LineQueue::State {
    State(int number, Kind what) : fd(number), kind(what) {}

    [[nodiscard]] bool is_empty() const { return written_up_to == pending.size() && lost == 0; }

    const int fd;
    const Kind kind;
    std::mutex mutex;
    std::condition_variable filled;
    std::condition_variable written;
    std::string pending;
    std::size_t written_up_to = 0; // in pending
    std::uint64_t lost = 0;        // lines that were dropped, not reported yet
    bool is_writing = false;       // the thread is writing the next lines
    bool is_taken = false;         // the thread must end, and leave the rest
    bool has_thread = false;
    bool has_failed = false;
    bool has_ended = false;
};

LineQueue::LineQueue(int fd, Kind kind, std::string unwritten)
    : state_(std::make_shared<State>(fd, kind)) {
    state_->pending = std::move(unwritten);
    start();
}

LineQueue::~LineQueue() {
    flush();
    const std::lock_guard lock{state_->mutex};
    state_->has_ended = true;
    state_->filled.notify_one();
}

void LineQueue::start() {
    start_thread([state = state_] { write_lines(state); }).detach();
    state_->has_thread = true;
}

// The caller holds the mutex.
void LineQueue::start_if_possible() {
    if (state_->has_thread) return;
    try {
        start();
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch): the next line tries again
    }
}

void LineQueue::add(std::string_view line) {
    const std::lock_guard lock{state_->mutex};
    start_if_possible();
    if (state_->pending.size() - state_->written_up_to + line.size() > capacity) {
        ++state_->lost;
        state_->has_failed = true;
        return;
    }
    state_->pending += line;
    if (!state_->is_writing) state_->filled.notify_one();
}

void LineQueue::flush() {
    std::unique_lock lock{state_->mutex};
    state_->written.wait_for(lock, last_wait, [&] { return state_->is_empty(); });
}

std::string LineQueue::take_unwritten() {
    std::unique_lock lock{state_->mutex};
    state_->is_taken = true;
    state_->filled.notify_one();
    const bool is_at_rest =
        state_->written.wait_for(lock, last_wait, [&] { return !state_->is_writing; });
    auto rest = state_->pending.substr(state_->written_up_to);
    if (!is_at_rest) rest.erase(0, first_lines(rest).size());
    return rest;
}

void LineQueue::write_again(std::string unwritten) {
    // The former thread may still hang in its write.
    auto state = std::make_shared<State>(state_->fd, state_->kind);
    state->pending = std::move(unwritten);
    {
        const std::lock_guard lock{state_->mutex};
        state->has_failed = state_->has_failed;
    }
    state_ = std::move(state);
    const std::lock_guard lock{state_->mutex};
    start_if_possible();
}

bool LineQueue::failed() {
    const std::lock_guard lock{state_->mutex};
    return state_->has_failed || !state_->is_empty();
}

void LineQueue::write_lines(const std::shared_ptr<State>& state) {
    std::unique_lock lock{state->mutex};
    for (;;) {
        state->filled.wait(
            lock, [&] { return !state->is_empty() || state->has_ended || state->is_taken; });
        if (state->is_taken || state->is_empty()) return;
        if (state->written_up_to == state->pending.size()) {
            const auto lost = std::exchange(state->lost, 0);
            state->pending +=
                state->kind == Kind::json
                    ? fmt::format("{{\"v\":1,\"lost\":{}}}\n", lost)
                    : fmt::format("({} lines lost: nobody read them in time)\n", lost);
        }
        const std::string lines{
            first_lines(std::string_view{state->pending}.substr(state->written_up_to))};
        lock.unlock();
        // Wait until the reader is ready, however long that takes. A line must not be left half
        // written.
        (void)wait_for(state->fd, POLLOUT, Deadline::never());
        lock.lock();
        if (state->is_taken) return;
        state->is_writing = true;
        lock.unlock();
        bool is_good = true;
        try {
            write_all(state->fd, lines, "lines");
        } catch (const std::exception&) {
            is_good = false;
        }
        lock.lock();
        state->is_writing = false;
        state->has_failed = state->has_failed || !is_good;
        state->written_up_to += lines.size();
        // Moving the rest to the front after each write would cost more than the write itself.
        if (state->written_up_to == state->pending.size() || state->written_up_to > capacity)
            state->pending.erase(0, std::exchange(state->written_up_to, 0));
        if (state->is_empty() || state->is_taken) state->written.notify_all();
    }
}

} // namespace ipcbox::cli
