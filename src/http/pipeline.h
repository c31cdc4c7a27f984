// Requests and their answers, over as few connections as possible. A pipeline belongs to one
// worker. It keeps connections open (RFC 9112, section 9.3). To a server that keeps them it sends
// requests ahead: before the answers to earlier requests have come (section 9.3.2).
//
// Users should not notice that. When a connection is lost, the pipeline sends the unanswered
// requests once more, each alone on a new connection, if sending twice does no harm (RFC 9110,
// section 9.2.2). It does the same when a server ignores or refuses requests that were sent ahead,
// or does not answer for a while; that server then gets one request at a time.
#pragma once

#include "http/connection.h"
#include "http/route.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

namespace ipcbox::http {

struct Request {
    Route route;
    std::string way;  // the route's key()
    std::string head; // its bytes
    RequestBody body;
    ResponseParser::Asked asked = ResponseParser::Asked::document;
    bool idempotent = true;
    bool alone = false;            // on a connection of its own
    bool leaves_body = false;      // nobody will read the answer's body: close the connection
    bool may_wait_in_line = false; // it may be sent ahead, and others after it
};

struct Response {
    ResponseHead head;
    Connection* connection = nullptr; // to read the body from, before the next ask()
    Milestones milestones;
};

class Pipeline {
  public:
    // The maximum of requests under way on one connection.
    static constexpr std::size_t max_depth = 64;
    // The maximum of connections that are kept for later.
    static constexpr std::size_t max_idle = 8;

    explicit Pipeline(const RouteOptions& options) : options_(options) {}

    // ACTION is called whenever the pipeline is about to wait for a server.
    void set_before_wait(std::function<void()> action) { before_wait_ = std::move(action); }

    // Whether requests after REQUEST would be sent ahead now. Until then the caller need not
    // prepare them.
    [[nodiscard]] bool looks_ahead(const Request& request) const;
    // Sends REQUEST and reads the head of its answer. AHEAD are the requests that follow, in that
    // order. Throws TransferError and its subclasses.
    [[nodiscard]] Response ask(const Request& request, std::span<const Request> ahead,
                               Deadline deadline);

    // For a body that broke off: true when requests had been sent ahead after it. Then the server
    // may have closed its connection in an orderly way, so send the request again before you report
    // a failure.
    [[nodiscard]] bool may_be_our_fault() const { return had_followers_; }
    // From now on, requests to the server of REQUEST are sent one at a time.
    void serialize(const Request& request) { hosts_[request.way].depth = 1; }

  private:
    using Clock = Deadline::Clock;

    // A connection, and the requests on it that are not answered yet.
    struct Line {
        struct Sent {
            std::string head;
            bool ahead; // before the answer to the one before it
        };
        std::string key;
        std::unique_ptr<Connection> connection;
        std::deque<Sent> sent;
        bool kept = false; // the server has kept it open at least once
    };
    // What we have learned about the server at the end of a way.
    struct Host {
        std::size_t depth = first_depth; // requests that may be under way on one connection
        Duration slowest{};              // the longest wait for an answer so far
    };
    static constexpr std::size_t first_depth = 16;

    [[nodiscard]] Line& line_for(const Request& request, Milestones& milestones, Deadline deadline);
    [[nodiscard]] Line& new_line(const Request& request, Milestones& milestones, Deadline deadline);
    [[nodiscard]] Line* find_line(const Request& request);
    [[nodiscard]] Response ask_once(Line& line, const Request& request,
                                    std::span<const Request> ahead, Milestones milestones,
                                    Deadline deadline);
    [[nodiscard]] Response ask_alone(const Request& request, Deadline deadline);
    void send_ahead(Line& line, const Request& request, std::span<const Request> ahead);
    void drop(const Line& line);
    void collect();

    const RouteOptions& options_;
    std::function<void()> before_wait_;
    std::deque<std::unique_ptr<Line>> lines_; // the last used one in front
    std::map<std::string, Host> hosts_;       // by key
    bool had_followers_ = false;
};

} // namespace ipcbox::http
