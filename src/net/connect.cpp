#include "net/connect.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "net/socket_options.h"
#include "net/unix_name.h"
#include "net/unreachable.h"

#include <algorithm>
#include <cstddef>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/stat.h>
#include <sys/time.h>
#include <vector>

namespace ipcbox::net {

namespace {

// RFC 8305, section 5: the recommended Connection Attempt Delay.
constexpr auto attempt_delay = std::chrono::milliseconds{250};

// Reports a failure in errno, because some reasons are no errors for the caller.
Fd open_socket(int family, int flags) {
    const int number = sys::call("socket", ::socket, family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    return number < 0 ? Fd{} : Fd::adopt(number);
}

int connect_socket(const Fd& socket, const Address& address) {
    return sys::call("connect", ::connect, socket.get(), address.data(), address.size());
}

// Alternates the families, IPv6 first, and keeps the order within each.
std::vector<Address> interleaved(std::span<const Address> addresses) {
    std::vector<Address> six;
    std::vector<Address> four;
    for (const auto& address : addresses)
        (address.family() == AF_INET6 ? six : four).push_back(address);
    std::vector<Address> all;
    for (std::size_t at = 0; at < std::max(six.size(), four.size()); ++at) {
        if (at < six.size()) all.push_back(six[at]);
        if (at < four.size()) all.push_back(four[at]);
    }
    return all;
}

// One address that we try, until it is connected or has failed.
struct Attempt {
    Address address;
    Fd socket;
    int error = 0; // EINPROGRESS while it lasts

    void start(const std::optional<Address>& source) {
        error = 0;
        socket = open_socket(address.family(), SOCK_NONBLOCK);
        if (!socket || !prepare(source) || connect_socket(socket, address) < 0) error = errno;
    }

    [[nodiscard]] bool prepare(const std::optional<Address>& source) const {
        const int on = 1;
        set_socket_option(socket, IPPROTO_TCP, TCP_NODELAY, on);
        if (!source) return true;
        // With SO_REUSEADDR, we can use a port again for another peer right after we used it. If no
        // port is asked for, the kernel chooses one when it knows the peer.
        set_socket_option(socket, SOL_SOCKET, SO_REUSEADDR, on);
        if (source->port() == 0) set_socket_option(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, on);
        return sys::call("bind", ::bind, socket.get(), source->data(), source->size()) == 0;
    }

    // Call it when the socket has become writable.
    void finish() {
        if (get_socket_option(socket.get(), SOL_SOCKET, SO_ERROR, error) < 0) error = errno;
    }

    [[nodiscard]] bool is_under_way() const { return error == EINPROGRESS; }
};

std::string advice(const Address& address) {
    return address.lacks_zone() ? fmt::format(" ({})", zone_advice) : std::string{};
}

[[noreturn]] void throw_reasons(std::string_view target, std::span<const Attempt> attempts) {
    std::string reasons;
    for (const auto& attempt : attempts)
        reasons += fmt::format("{}{}: {}{}", reasons.empty() ? "" : "; ", attempt.address.text(),
                               error_text(attempt.error), advice(attempt.address));
    if (attempts.size() > 1) reasons = fmt::format("{}: {}", target, reasons);
    const auto message = fmt::format("cannot connect to {}", reasons);
    if (std::ranges::all_of(
            attempts, [](int error) { return error == ECONNREFUSED; }, &Attempt::error))
        throw Refused(message);
    throw Unreachable(message);
}

// Waits until an attempt has an outcome, until it is time to begin the next one, or until the
// deadline.
void await(std::vector<Attempt>& attempts, Deadline deadline) {
    std::vector<pollfd> entries;
    entries.reserve(attempts.size());
    for (const auto& attempt : attempts) // poll(2) ignores -1
        entries.push_back({attempt.is_under_way() ? attempt.socket.get() : -1, POLLOUT, 0});
    if (poll_until(entries, deadline) == 0) return;
    for (std::size_t at = 0; at < entries.size(); ++at)
        if (entries[at].revents != 0) attempts[at].finish();
}

void throw_if_unreachable(std::string_view object, int error) {
    if (error == ECONNREFUSED || error == ENOENT)
        throw Refused(fmt::format("cannot connect {}: {}", object, error_text(error)));
}

// For a file that is no socket, too, the kernel says ECONNREFUSED.
bool is_no_socket(const Address& address) {
    struct stat status {};
    return !address.is_abstract() &&
           sys::call("stat", ::stat, address.host().c_str(), &status) == 0 &&
           !S_ISSOCK(status.st_mode);
}

UnixName reachable_name(const Address& address, std::string_view object) {
    try {
        return name_to_connect(address);
    } catch (const SysError& error) {
        throw_if_unreachable(object, error.error());
        throw SysError("connect", object, error.error());
    }
}

} // namespace

Fd connect_tcp(std::span<const Address> addresses, std::string_view target,
               const std::optional<Address>& source, Deadline deadline) {
    const auto order = interleaved(addresses);
    std::vector<Attempt> attempts;
    auto next_start = Deadline::after(Duration::zero());
    for (;;) {
        const bool all_failed = std::ranges::none_of(attempts, &Attempt::is_under_way);
        const bool more = attempts.size() < order.size();
        if (all_failed && !more) throw_reasons(target, attempts);
        if (more && (all_failed || next_start.passed())) {
            attempts.push_back({order[attempts.size()], {}, 0});
            attempts.back().start(source);
            next_start = Deadline::after(attempt_delay);
        } else {
            await(attempts, more ? std::min(next_start, deadline) : deadline);
        }
        for (auto& attempt : attempts)
            if (attempt.error == 0) return std::move(attempt.socket);
        if (deadline.passed()) throw TimedOut(fmt::format("connecting to {}", target));
    }
}

Fd connect_unix(const Address& address, Deadline deadline) {
    const auto object = fmt::format("to {}", address.text());
    const auto name = reachable_name(address, object);
    Fd socket = open_socket(AF_UNIX, 0);
    if (!socket) throw SysError("connect", object);
    for (;;) {
        // While the backlog is full, a non-blocking connect(2) fails with EAGAIN, and poll(2) does
        // not say when there is room. So we let it block for SO_SNDTIMEO (unix(7)).
        if (const auto left = deadline.remaining()) {
            const auto limit = std::max(std::chrono::ceil<std::chrono::microseconds>(*left),
                                        {std::chrono::microseconds{1}});
            const auto seconds = std::chrono::floor<std::chrono::seconds>(limit);
            const timeval timeout{seconds.count(), (limit - seconds).count()};
            if (set_socket_option(socket, SOL_SOCKET, SO_SNDTIMEO, timeout) < 0)
                throw SysError("connect", object);
        }
        if (connect_socket(socket, name.address) == 0) break;
        if (errno == ECONNREFUSED && is_no_socket(address))
            throw Refused(fmt::format("cannot connect {}: {} (it is not a socket)", object,
                                      error_text(ECONNREFUSED)));
        throw_if_unreachable(object, errno);
        if (errno != EINTR && errno != EAGAIN) throw SysError("connect", object);
        if (deadline.passed()) throw TimedOut(fmt::format("connecting {}", object));
    }
    if (!deadline.is_never()) set_socket_option(socket, SOL_SOCKET, SO_SNDTIMEO, timeval{});
    set_nonblocking(socket);
    return socket;
}

} // namespace ipcbox::net
