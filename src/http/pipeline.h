// Requests and their responses, over as few connections as possible. One worker's: connections are
// kept open (RFC 9112, section 9.3), and to a server that keeps them, requests that are known
// already go out before the responses to those before them have come (section 9.3.2).
//
// A server that closes a connection early has not heard what was sent ahead, as far as anybody can
// know: that is asked again, on another connection, if asking twice does no harm (RFC 9110, section
// 9.2.2), and less is sent ahead from then on.
#pragma once

#include "http/connection.h"
#include "http/route.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace ipcbox::http {

struct Request {
    Route route;
    std::string way;  // its key()
    std::string head; // its bytes
    ResponseParser::Asked asked = ResponseParser::Asked::document;
    bool idempotent = true;
    bool alone = false;            // on a connection of its own
    bool may_wait_in_line = false; // it can be sent ahead, and others behind it
    // Sends the body; what Connection::send() returned last. Empty when there is none.
    std::function<bool(Connection&, Deadline)> send_body;
};

struct Response {
    ResponseHead head;
    Connection* connection = nullptr; // to read the body from, before the next ask()
    Milestones milestones;
};

class Pipeline {
  public:
    // So many requests are under way at most on one connection.
    static constexpr std::size_t most_depth = 16;
    // Connections that are kept for later.
    static constexpr std::size_t most_idle = 8;

    explicit Pipeline(const RouteOptions& options) : options_(options) {}

    // The requests that will be asked for next, in that order; null when the one at POSITION is not
    // known. It has to live until the call of ask() ends.
    using Ahead = std::function<const Request*(std::size_t position)>;

    // Called whenever we are about to wait for a server.
    void set_before_wait(std::function<void()> action) { before_wait_ = std::move(action); }

    // Throws TransferError and its kind.
    [[nodiscard]] Response ask(const Request& request, const Ahead& ahead, Deadline deadline);

  private:
    // A connection and what was sent over it and not answered yet.
    struct Line {
        std::string key;
        std::unique_ptr<Connection> connection;
        std::deque<std::string> sent;
        bool kept = false; // the server has kept it open at least once
    };

    [[nodiscard]] Line& line_for(const Request& request, Milestones& milestones, Deadline deadline);
    [[nodiscard]] Response ask_once(Line& line, const Request& request, const Ahead& ahead,
                                    Milestones milestones, Deadline deadline);
    void send_ahead(Line& line, const Request& request, const Ahead& ahead, Deadline deadline);
    void drop(const Line& line);
    void collect();

    const RouteOptions& options_;
    std::function<void()> before_wait_;
    std::deque<std::unique_ptr<Line>> lines_;   // the last used one in front
    std::map<std::string, std::size_t> depths_; // by key, where it is not most_depth
};

} // namespace ipcbox::http
