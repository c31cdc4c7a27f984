#include "harness/http_peer.h"

#include "core/error.h"
#include "core/io.h"
#include "download/part_name.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fmt/core.h>
#include <linux/sockios.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace ipcbox::test {

namespace {

constexpr std::string_view empty_line = "\r\n\r\n";

// Wait, because a reset would overtake the bytes that are not sent yet.
void wait_until_sent(const Fd& socket) {
    (void)eventually([&socket] {
        int bytes = 0;
        return ::ioctl(socket.get(), SIOCOUTQ, &bytes) < 0 || bytes == 0;
    });
}

void read_to_the_end(const Fd& socket) {
    std::array<char, 4096> buffer;
    while (::recv(socket.get(), buffer.data(), buffer.size(), 0) > 0)
        continue;
}

} // namespace

std::string HttpRequest::first_line() const {
    return head.substr(0, head.find("\r\n"));
}

std::string HttpRequest::method() const {
    return head.substr(0, head.find(' '));
}

std::string HttpRequest::target() const {
    const auto line = first_line();
    const auto begin = line.find(' ') + 1;
    return line.substr(begin, line.rfind(' ') - begin);
}

std::string HttpRequest::field(std::string_view name) const {
    for (auto at = head.find("\r\n"); at + 2 < head.size(); at = head.find("\r\n", at + 2)) {
        const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
        const auto colon = line.find(':');
        if (colon == name.size() && ::strncasecmp(line.data(), name.data(), colon) == 0)
            return line.substr(std::min(line.size(), colon + 2));
    }
    return {};
}

std::string HttpRequest::content() const {
    std::string text;
    for (std::string_view rest = body; !rest.empty();) {
        const auto line = rest.substr(0, rest.find("\r\n"));
        const auto size = std::strtoul(std::string{line}.c_str(), nullptr, 16);
        rest.remove_prefix(line.size() + 2);
        text += rest.substr(0, size);
        rest.remove_prefix(size + 2);
    }
    return text;
}

std::string ok(std::string_view body, std::string_view fields) {
    return answer("200 OK", fields, body);
}

std::string answer(std::string_view status, std::string_view fields, std::string_view body) {
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), fields,
                       body);
}

bool HttpReader::read_more() {
    std::array<char, 65536> buffer;
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) pending_.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0;
}

bool HttpReader::take(std::size_t size, std::string& into) {
    while (pending_.size() < size)
        if (!read_more()) return false;
    into += pending_.substr(0, size);
    pending_.erase(0, size);
    return true;
}

bool HttpReader::take_until(std::string_view mark, std::string& into) {
    while (pending_.find(mark) == std::string::npos)
        if (!read_more()) return false;
    return take(pending_.find(mark) + mark.size(), into);
}

std::optional<HttpRequest> HttpReader::next() {
    HttpRequest request;
    if (!take_until(empty_line, request.head)) return std::nullopt;
    bool whole = true;
    if (request.field("Transfer-Encoding") == "chunked")
        for (std::size_t size = 1; whole && size > 0;) {
            std::string line;
            whole = take_until("\r\n", line);
            size = std::strtoul(line.c_str(), nullptr, 16);
            request.body += line;
            whole = whole && take(size + 2, request.body);
        }
    else if (const auto length = request.field("Content-Length"); !length.empty())
        whole = take(std::strtoul(length.c_str(), nullptr, 10), request.body);
    if (!whole) return std::nullopt;
    return request;
}

HttpPeer::HttpPeer(const net::Address& address, Answers answers)
    : listener_(listen_at(address, 64)), address_(net::local_address(listener_.get())),
      answers_(std::move(answers)), acceptor_([this] { accept_all(); }) {}

HttpPeer::HttpPeer(Answers answers)
    : HttpPeer(*net::Address::parse_ip("127.0.0.1", 0), std::move(answers)) {}

HttpPeer::~HttpPeer() {
    ::shutdown(listener_.get(), SHUT_RDWR); // ends accept(2)
    acceptor_.join();
    const std::lock_guard lock{mutex_};
    for (const auto& connection : connections_)
        if (connection.socket) ::shutdown(connection.socket.get(), SHUT_RDWR);
}

void HttpPeer::accept_all() {
    for (;;) {
        const int client = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0 && errno == EINTR) continue;
        if (client < 0) return;
        const std::lock_guard lock{mutex_};
        auto& connection = connections_.emplace_back();
        connection.socket = Fd::adopt(client);
        connection.thread = std::jthread{
            [this, &connection, number = connections_.size() - 1] { serve(connection, number); }};
    }
}

void HttpPeer::serve(Connection& connection, std::size_t number) {
    const Fd& socket = connection.socket;
    HttpReader reader{socket};
    auto then = Then::keep;
    for (std::size_t count = 0; then == Then::keep; ++count) {
        auto request = reader.next();
        if (!request) break;
        request->connection = number;
        request->number = count;
        {
            const std::lock_guard lock{mutex_};
            requests_.push_back(*request);
        }
        const auto answer = answers_(*request);
        then = answer.then;
        try {
            say(socket, answer.bytes);
        } catch (const Error&) {
            break; // the client has gone
        }
    }
    if (then == Then::close) ::shutdown(socket.get(), SHUT_WR);
    if (then == Then::close || then == Then::stay) read_to_the_end(socket);
    if (then == Then::reset) {
        wait_until_sent(socket);
        reset_when_closed(socket);
    }
    const std::lock_guard lock{mutex_};
    connection.socket = Fd{};
}

std::string HttpPeer::port() const {
    return fmt::format("{}", address_.port());
}

std::string HttpPeer::url(std::string_view target) const {
    return fmt::format("http://{}{}", text(), target);
}

std::vector<HttpRequest> HttpPeer::requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
}

std::string HttpPeer::targets() const {
    std::string text;
    for (const auto& request : requests())
        text += (text.empty() ? "" : " ") + request.target();
    return text;
}

std::size_t HttpPeer::connections() const {
    const std::lock_guard lock{mutex_};
    return connections_.size();
}

std::string part_of(const std::string& file) {
    return download::part_names(file, download::tail_for(file)).part;
}

} // namespace ipcbox::test
