#include "http/receive_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ipcbox::http {

namespace {

// Room for a small response.
constexpr std::size_t first_size = 8UL * 1024;
// Room for many responses, once they fill the first buffer.
constexpr std::size_t usual_size = 64UL * 1024;

} // namespace

std::span<char> ReceiveBuffer::room() {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
    }
    if (buffer_.size() - end_ < first_size / 2)
        buffer_.resize(std::max(first_size, buffer_.size() * 2));
    return std::span{buffer_}.subspan(end_);
}

void ReceiveBuffer::add(std::size_t count) {
    end_ += count;
    if (end_ == buffer_.size() && end_ < usual_size) buffer_.resize(usual_size);
}

} // namespace ipcbox::http
