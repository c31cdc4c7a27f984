#include "harness/peer.h"

#include "core/error.h"
#include "core/io.h"

#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>

namespace ipcbox::test {

namespace {

constexpr auto limit = std::chrono::seconds{30};
constexpr std::size_t max_bytes = 256UL * 1024 * 1024;

enum class Sharing { none, reuse_address };

Fd bound_socket(const net::Address& address, Sharing sharing = Sharing::none) {
    Fd socket = Fd::adopt(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (sharing == Sharing::reuse_address)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.family() == AF_INET6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(socket.get(), address.data(), address.size()) < 0)
        throw SysError("bind to", address.text());
    return socket;
}

} // namespace

Fd listen_at(const net::Address& address, int backlog) {
    Fd socket = bound_socket(address);
    if (::listen(socket.get(), backlog) < 0) throw SysError("listen at", address.text());
    return socket;
}

RefusedPort::RefusedPort() {
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt)
        try {
            six_ = bound_socket(*net::Address::parse_ip("::1", 0));
            number_ = net::local_address(six_.get()).port();
            four_ = bound_socket(*net::Address::parse_ip("127.0.0.1", number_));
            return;
        } catch (const SysError& error) {
            if (error.error() != EADDRINUSE) throw; // in use in the other family
        }
    throw std::runtime_error("no port is free in both families");
}

const Fd& RefusedPort::listen() const {
    if (::listen(four_.get(), 1) < 0) throw SysError("listen at", "a port");
    return four_;
}

ReservedPort::ReservedPort()
    : socket_(bound_socket(*net::Address::parse_ip("127.0.0.1", 0), Sharing::reuse_address)) {}

Peer::Peer(const net::Address& address, Work work)
    : listener_(listen_at(address)), address_(net::local_address(listener_.get())),
      thread_([this, work = std::move(work)] { serve(work); }) {}

Peer::Peer(Work work) : Peer(*net::Address::parse_ip("127.0.0.1", 0), std::move(work)) {}

Peer::~Peer() {
    ::shutdown(listener_.get(), SHUT_RDWR); // ends accept(2)
}

void Peer::serve(const Work& work) const {
    for (;;) {
        const int client = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0 && errno == EINTR) continue;
        if (client < 0) return;
        try {
            work(Fd::adopt(client));
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): see the header
        }
    }
}

std::string receive_all(const Fd& socket) {
    return read_to_end(socket.get(), max_bytes, "a peer", Deadline::after(limit));
}

void say(const Fd& socket, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (sent < 0) throw SysError("write", "a peer");
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void echo(const Fd& client) {
    std::array<char, 65536> buffer;
    const auto deadline = Deadline::after(limit);
    const auto room = std::as_writable_bytes(std::span{buffer});
    while (const auto got = read_some(client.get(), room, "a peer", deadline))
        say(client, {buffer.data(), got});
}

void reset_when_closed(const Fd& socket) {
    const linger at_once{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::string numbered_text(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at)
        text[at] = static_cast<char>(at ^ (at >> 8U) ^ (at >> 16U));
    return text;
}

} // namespace ipcbox::test
