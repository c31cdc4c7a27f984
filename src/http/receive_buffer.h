// The bytes of a connection that have come and were not used yet. The buffer begins small, because
// unused memory still costs its first touch, and grows once more data comes at a time.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace ipcbox::http {

class ReceiveBuffer {
  public:
    // Valid until the next call of room().
    [[nodiscard]] std::string_view unread() const {
        return {buffer_.data() + begin_, end_ - begin_};
    }
    // The first COUNT unread bytes were used.
    void take(std::size_t count) { begin_ += count; }

    // Where to put the next bytes; never empty.
    [[nodiscard]] std::span<char> room();
    // COUNT bytes were put there.
    void add(std::size_t count);

  private:
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace ipcbox::http
