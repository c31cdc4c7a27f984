#include "server/proxy_entrance.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "net/socket_options.h"
#include "server/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <sys/socket.h>

namespace ipcbox::server {

namespace {

ssize_t receive(const Fd& socket, std::span<std::byte> into, int flags) {
    ssize_t got = -1;
    do
        got = sys::call("recv", ::recv, socket.get(), static_cast<void*>(into.data()), into.size(),
                        flags | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got;
}

// Takes bytes that we have seen in the socket. Returns 0, or the errno: ECONNRESET when the
// connection was reset since then.
int take(const Fd& socket, std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = receive(socket, bytes, 0);
        if (got <= 0) return got < 0 ? errno : ECONNRESET;
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
    return 0;
}

std::string unreadable(int error) {
    return std::string{"its PROXY header cannot be read: "}.append(error_text(error));
}

// From now on, the socket counts as readable only when it has this number of bytes, or has ended
// (socket(7)). Otherwise, half a header would wake us again and again.
void set_low_water(const Fd& socket, std::size_t bytes) {
    net::set_socket_option(socket, SOL_SOCKET, SO_RCVLOWAT, static_cast<int>(bytes));
}

} // namespace

void ProxyEntrance::add(OpenConnection connection) {
    // Count from accept4(2). Our former image may have called it.
    const auto age = Deadline::Clock::now() - connection.told.started;
    Guest guest{std::move(connection), Deadline::after(patience_ - age)};
    const std::lock_guard lock{mutex_};
    const auto later = std::ranges::find_if(
        guests_, [&guest](const Guest& other) { return other.deadline > guest.deadline; });
    guests_.insert(later, std::move(guest));
    changed_.signal();
}

void ProxyEntrance::add_polled(std::vector<pollfd>& entries) {
    const std::lock_guard lock{mutex_};
    for (const auto& guest : guests_)
        entries.push_back({guest.connection.socket.get(), POLLIN, 0});
}

Deadline ProxyEntrance::next_deadline() {
    const std::lock_guard lock{mutex_};
    return guests_.empty() ? Deadline::never() : guests_.front().deadline;
}

bool ProxyEntrance::empty() const {
    const std::lock_guard lock{mutex_};
    return guests_.empty();
}

ProxyEntrance::Progress ProxyEntrance::look_at(Guest& guest, Arrival& found) {
    auto& problem = found.problem;
    std::array<std::byte, ProxyHeader::max_bytes> buffer;
    const ssize_t got = receive(guest.connection.socket, buffer, MSG_PEEK);
    const int error = got < 0 ? errno : 0;
    const auto size = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    const auto header = ProxyHeader::parse(std::span{buffer}.first(size));
    if (header.state == ProxyHeader::State::complete) {
        set_low_water(guest.connection.socket, 1);
        const auto bytes = std::span{buffer}.first(header.length);
        if (const int lost = take(guest.connection.socket, bytes); lost != 0) {
            found.is_ours = lost != ECONNRESET;
            problem = found.is_ours ? unreadable(lost) : "it was reset";
            return Progress::failed;
        }
        // A Unix socket's name matches no rule, and our own socket is TCP. So the client counts as
        // unknown.
        const bool tells_client = header.source && !header.source->is_unix();
        if (tells_client) {
            guest.connection.told.peer = *header.source;
            guest.connection.told.local = *header.destination;
        }
        guest.connection.told.header_bytes = header.length;
        guest.connection.told.is_peer_the_client = tells_client || header.is_from_proxy_itself;
        return Progress::complete;
    }
    // While bytes are unread, recv(2) does not show that the client has ended.
    const bool has_ended = size > 0 && size == guest.seen &&
                           wait_for(guest.connection.socket.get(), POLLRDHUP, Deadline::after({}));
    if (header.state == ProxyHeader::State::bad)
        problem = std::string{"its PROXY header is invalid: "}.append(header.reason);
    else if (got == 0 || has_ended || error == ECONNRESET)
        problem = "it ended without a PROXY header";
    else if (error != 0 && error != EAGAIN) {
        found.is_ours = true;
        problem = unreadable(error);
    } else if (guest.deadline.passed())
        problem = "no PROXY header came in time";
    if (!problem.empty()) return Progress::failed;
    if (size > guest.seen) set_low_water(guest.connection.socket, size + 1);
    guest.seen = size;
    return Progress::waits;
}

std::vector<ProxyEntrance::Arrival> ProxyEntrance::arrivals() {
    const std::lock_guard lock{mutex_};
    std::vector<Arrival> found;
    for (auto guest = guests_.begin(); guest != guests_.end();) {
        Arrival arrival;
        if (look_at(*guest, arrival) == Progress::waits) {
            ++guest;
            continue;
        }
        arrival.connection = std::move(guest->connection);
        found.push_back(std::move(arrival));
        guest = guests_.erase(guest);
    }
    return found;
}

std::vector<OpenConnection> ProxyEntrance::take_all() {
    const std::lock_guard lock{mutex_};
    std::vector<OpenConnection> all;
    for (auto& guest : guests_) {
        set_low_water(guest.connection.socket, 1);
        all.push_back(std::move(guest.connection));
    }
    guests_.clear();
    return all;
}

} // namespace ipcbox::server
