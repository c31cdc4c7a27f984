// An HTTP server that answers as a test wants, even as no server should, and remembers its
// requests. Each connection has a thread.
//
//     HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
//         if (request.target() == "/a") return ok("alpha");
//         return {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbe", Then::reset};
//     }};
//     scenario.run({"webget", server.url("/a")});
//     CHECK(server.requests().front().field("Accept") == "*/*");
#pragma once

#include "core/fd.h"
#include "net/address.h"

#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ipcbox::test {

struct HttpRequest {
    std::string head; // up to and including its empty line
    std::string body; // as it came, with the heads of its chunks
    std::size_t connection = 0;
    std::size_t number = 0; // on this connection; both count from 0

    [[nodiscard]] std::string first_line() const;
    // "GET", "/path?query"
    [[nodiscard]] std::string method() const;
    [[nodiscard]] std::string target() const;
    // Empty when the head has no such field.
    [[nodiscard]] std::string field(std::string_view name) const;
    // The data of all chunks of the body together.
    [[nodiscard]] std::string content() const;
};

// What the server does after an answer: it keeps the connection for the next request; reads what
// the client sends to its end and closes; closes at once; resets; or keeps the connection and says
// nothing more.
enum class Then { keep, close, drop, reset, stay };

struct HttpAnswer {
    std::string bytes;
    Then then;

    HttpAnswer(std::string text, Then what = Then::keep) // NOLINT(google-explicit-constructor)
        : bytes(std::move(text)), then(what) {}
};

// "200 OK" with a length. FIELDS are whole lines: "ETag: \"1\"\r\n".
[[nodiscard]] std::string ok(std::string_view body, std::string_view fields = {});
[[nodiscard]] std::string answer(std::string_view status, std::string_view fields = {},
                                 std::string_view body = {});

// Reads the requests that come over a connection.
class HttpReader {
  public:
    explicit HttpReader(const Fd& socket) : socket_(socket) {}
    // Nothing when no further request comes.
    [[nodiscard]] std::optional<HttpRequest> next();

  private:
    // Reads up to and including the next MARK, or SIZE bytes. False if they do not come.
    [[nodiscard]] bool take_until(std::string_view mark, std::string& into);
    [[nodiscard]] bool take(std::size_t size, std::string& into);
    [[nodiscard]] bool read_more();

    const Fd& socket_;
    std::string pending_;
};

class HttpPeer {
  public:
    // Several threads call this, one for each connection.
    using Answers = std::function<HttpAnswer(const HttpRequest& request)>;

    HttpPeer(const net::Address& address, Answers answers);
    // Listens on 127.0.0.1.
    explicit HttpPeer(Answers answers);
    ~HttpPeer();
    HttpPeer(const HttpPeer&) = delete;
    HttpPeer& operator=(const HttpPeer&) = delete;

    // "127.0.0.1:38009"
    [[nodiscard]] std::string text() const { return address_.text(); }
    [[nodiscard]] std::string port() const;
    [[nodiscard]] std::string url(std::string_view target) const;

    // All requests, in the order in which they came.
    [[nodiscard]] std::vector<HttpRequest> requests() const;
    // The targets of all requests, with blanks between them: "/a /b".
    [[nodiscard]] std::string targets() const;
    [[nodiscard]] std::size_t connections() const;

  private:
    struct Connection {
        Fd socket;
        std::jthread thread;
    };

    void accept_all();
    void serve(Connection& connection, std::size_t number);

    Fd listener_;
    net::Address address_;
    Answers answers_;
    mutable std::mutex mutex_; // guards the members below
    std::vector<HttpRequest> requests_;
    std::list<Connection> connections_;
    std::jthread acceptor_; // made last, so that it ends first
};

// The temporary file in which webget keeps the part of FILE that has come.
[[nodiscard]] std::string part_of(const std::string& file);

} // namespace ipcbox::test
