#include "http/receive_buffer.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <string>

using namespace ipcbox;

namespace {

// Puts as much of TEXT into the buffer as fits. Returns the number of bytes.
std::size_t receive(http::ReceiveBuffer& buffer, std::string_view text) {
    const auto room = buffer.room();
    const auto size = std::min(room.size(), text.size());
    std::copy_n(text.begin(), size, room.begin());
    buffer.add(size);
    return size;
}

} // namespace

TEST_CASE("bytes are unread until they are taken") {
    http::ReceiveBuffer buffer;
    CHECK(buffer.unread().empty());
    CHECK(receive(buffer, "head body") == 9);
    CHECK(buffer.unread() == "head body");
    buffer.take(5);
    CHECK(buffer.unread() == "body");
    CHECK(receive(buffer, " more") == 5);
    CHECK(buffer.unread() == "body more");
    buffer.take(9);
    CHECK(buffer.unread().empty());
}

TEST_CASE("there is always room, however much is unread") {
    http::ReceiveBuffer buffer;
    const std::string text(1'000'000, 'x');
    for (std::string_view left = text; !left.empty();) {
        const auto size = receive(buffer, left);
        REQUIRE(size > 0);
        left.remove_prefix(size);
    }
    CHECK(buffer.unread() == text);
}

TEST_CASE("a buffer that was filled has more room the next time") {
    http::ReceiveBuffer buffer;
    const auto first = buffer.room().size();
    CHECK(receive(buffer, std::string(first, 'x')) == first);
    buffer.take(first);
    CHECK(buffer.room().size() > first);
}
