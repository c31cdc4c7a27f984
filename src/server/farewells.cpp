#include "server/farewells.h"

#include "core/syscall.h"

#include <array>
#include <cstddef>
#include <sys/socket.h>

namespace ipcbox::server {

namespace {

constexpr auto patience = std::chrono::seconds{2};
constexpr std::size_t max_farewells = 128;

// Whether the client has ended its side, or is gone.
bool has_ended(const Fd& socket) {
    std::array<std::byte, 16384> buffer;
    // At most this many reads: a client may send for ever.
    for (int reads = 0; reads < 16; ++reads) {
        const ssize_t got =
            sys::call("recv", ::recv, socket.get(), static_cast<void*>(buffer.data()),
                      buffer.size(), MSG_DONTWAIT);
        if (got > 0 || (got < 0 && errno == EINTR)) continue;
        return got == 0 || errno != EAGAIN;
    }
    return false;
}

} // namespace

void Farewells::add(Fd socket) {
    sys::call("shutdown", ::shutdown, socket.get(), SHUT_WR);
    if (has_ended(socket)) return;
    const std::lock_guard lock{mutex_};
    if (farewells_.size() >= max_farewells) farewells_.pop_front();
    farewells_.push_back({std::move(socket), Deadline::after(patience)});
    changed_.signal();
}

void Farewells::add_polled(std::vector<pollfd>& entries) {
    const std::lock_guard lock{mutex_};
    for (const auto& farewell : farewells_)
        entries.push_back({farewell.socket.get(), POLLIN, 0});
}

Deadline Farewells::next_deadline() {
    const std::lock_guard lock{mutex_};
    return farewells_.empty() ? Deadline::never() : farewells_.front().deadline;
}

void Farewells::look() {
    const std::lock_guard lock{mutex_};
    std::erase_if(farewells_, [](const Farewell& farewell) {
        return farewell.deadline.passed() || has_ended(farewell.socket);
    });
}

} // namespace ipcbox::server
