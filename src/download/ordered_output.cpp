#include "download/ordered_output.h"

#include "core/error.h"
#include "core/io.h"

#include <chrono>
#include <utility>

namespace ipcbox::download {

namespace {

constexpr std::size_t buffer_size = 64UL * 1024;

} // namespace

void OrderedOutput::flush_buffer(Deadline deadline) {
    if (buffer_.empty()) return;
    const auto bytes = std::exchange(buffer_, {});
    write_all(fd_, bytes, name_, deadline);
}

void OrderedOutput::write(std::size_t number, std::string_view bytes, Deadline deadline) {
    std::unique_lock lock{mutex_};
    if (number != turn_ && kept_bytes_ + bytes.size() > max_kept) {
        const auto is_turn = [&] { return number == turn_ || given_up_; };
        if (deadline.is_never())
            turned_.wait(lock, is_turn);
        else if (!turned_.wait_for(lock, deadline.remaining().value_or(Duration{}), is_turn))
            throw TimedOut("waiting for an earlier document");
    }
    if (given_up_) return;
    if (number != turn_) {
        kept_[number] += bytes;
        kept_bytes_ += bytes.size();
        return;
    }
    if (buffer_.size() + bytes.size() > buffer_size) flush_buffer(deadline);
    if (bytes.size() > buffer_size)
        write_all(fd_, bytes, name_, deadline);
    else
        buffer_ += bytes;
}

bool OrderedOutput::flush(std::size_t number, Deadline deadline) {
    const std::lock_guard lock{mutex_};
    if (number != turn_ || given_up_) return false;
    flush_buffer(deadline);
    return true;
}

void OrderedOutput::flush() {
    const std::lock_guard lock{mutex_};
    flush_buffer(Deadline::never());
}

void OrderedOutput::give_up() {
    const std::lock_guard lock{mutex_};
    given_up_ = true;
    buffer_.clear();
    kept_.clear();
    turned_.notify_all();
}

void OrderedOutput::finish(std::size_t number, Deadline deadline) {
    const std::lock_guard lock{mutex_};
    finished_.insert(number);
    while (finished_.erase(turn_) > 0) {
        ++turn_;
        const auto next = kept_.find(turn_);
        if (next == kept_.end()) continue;
        kept_bytes_ -= next->second.size();
        if (buffer_.size() + next->second.size() > buffer_size) flush_buffer(deadline);
        buffer_ += next->second;
        kept_.erase(next);
    }
    turned_.notify_all();
}

} // namespace ipcbox::download
