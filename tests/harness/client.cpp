#include "harness/client.h"

#include "core/error.h"
#include "core/io.h"
#include "harness/scenario.h"

#include <array>
#include <cerrno>
#include <fmt/core.h>
#include <stdexcept>
#include <sys/socket.h>
#include <utility>

namespace ipcbox::test {

namespace {

constexpr auto limit = std::chrono::seconds{30};
constexpr std::string_view object = "a server's answer";

} // namespace

Client::Client(const net::Address& server)
    : socket_(Fd::adopt(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0))) {
    if (::connect(socket_.get(), server.data(), server.size()) < 0)
        throw SysError("connect to", server.text());
}

void Client::send(std::string_view text) const {
    write_all(socket_.get(), text, "a server", Deadline::after(limit));
}

void Client::end_input() const {
    ::shutdown(socket_.get(), SHUT_WR);
}

void Client::reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket_ = Fd{};
}

std::string Client::line() {
    const Deadline deadline = Deadline::after(limit);
    for (;;) {
        if (const auto end = pending_.find('\n'); end != std::string::npos) {
            auto found = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            return found;
        }
        std::array<std::byte, 4096> buffer{};
        const auto got = read_some(socket_.get(), buffer, object, deadline);
        if (got == 0) return std::exchange(pending_, {});
        pending_.append(reinterpret_cast<const char*>(buffer.data()), got);
    }
}

std::string Client::rest() {
    constexpr std::size_t most = 64UL * 1024 * 1024;
    return std::exchange(pending_, {}) +
           read_to_end(socket_.get(), most, object, Deadline::after(limit));
}

std::string ask(const net::Address& server, std::string_view text) {
    Client client{server};
    client.send(text);
    client.end_input();
    return client.rest();
}

net::Address ready_address(Process& server) {
    return announced_address(server.error_line());
}

net::Address announced_address(std::string line) {
    constexpr std::string_view mark = "listening on ";
    const auto start = line.find(mark);
    if (start == std::string::npos)
        throw std::runtime_error(fmt::format("no ready line but '{}'", line));
    line.erase(0, start + mark.size());
    if (line.find_first_of("/.@") == 0) return net::Address::unix_path(line);
    const auto place = net::HostPort::parse(std::string_view{line}.substr(0, line.find(' ')));
    return net::Address::parse_ip(place.host, place.port).value();
}

bool is_turned_away(Client& client) {
    try {
        return client.rest().empty();
    } catch (const SysError& error) {
        return error.error() == ECONNRESET;
    }
}

std::string log_line(Process& server, std::string_view text) {
    for (;;) {
        auto line = server.error_line();
        if (line.find(text) != std::string::npos) return line;
        if (line.empty()) throw std::runtime_error(fmt::format("no line with '{}'", text));
    }
}

} // namespace ipcbox::test
