// The bytes that the server at the other end of a connection has not taken yet: heads of requests,
// and the body of the last one. Sending never waits, so that answers can be read meanwhile. A
// server may answer before it has read everything, and may stop reading until its answer is taken.
#pragma once

#include "core/deadline.h"
#include "http/body_source.h"

#include <memory>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {

// How the server finds the end of the body (RFC 9112, section 6): by a Content-Length or by the
// last chunk.
enum class BodyFraming { length, chunks };

// The body of one request, as its head announced it.
struct RequestBody {
    std::shared_ptr<BodySource> source; // none: the request has no body
    BodyFraming framing = BodyFraming::length;
    std::uint64_t size = 0;    // with BodyFraming::length, exactly
    bool wait_for_100 = false; // the head asks whether the server wants the body
};

class Outgoing {
  public:
    // Puts TEXT after the bytes that already wait. There must be no body.
    void add(std::string_view text);
    // Puts BODY after them. With wait_for_100 it is held back until release(), at most for a
    // second (RFC 9110, section 10.1.1).
    void add(RequestBody body);
    void release() { held_until_ = Deadline::after({}); }

    // Whether everything was sent.
    [[nodiscard]] bool is_empty() const { return pending().empty() && !body_; }
    // Whether a part of a body is left.
    [[nodiscard]] bool has_body() const { return has_body_ && !is_empty(); }
    // The errno for which the socket cannot be written to any more; 0 while it can.
    [[nodiscard]] int error() const { return error_; }
    // Whether nothing is left, or nothing can be sent any more.
    [[nodiscard]] bool is_over() const { return is_empty() || error_ != 0; }

    // Sends as much as SOCKET takes now, at most about 1 MiB, so that the caller can look at
    // answers and deadlines in between. Throws what the body throws.
    void send_some(int socket);
    // The event to wait for before send_some() can go on, and the latest time to wait for.
    struct Wait {
        pollfd entry;
        Deadline until;
    };
    [[nodiscard]] Wait waits_for(int socket) const;

    // Forgets what is left.
    void drop();

  private:
    [[nodiscard]] std::string_view pending() const {
        return std::string_view{bytes_}.substr(sent_);
    }
    [[nodiscard]] bool fill();
    [[nodiscard]] bool is_held() const { return !held_until_.passed(); }

    std::string bytes_; // the first of them are sent already
    std::size_t sent_ = 0;
    std::shared_ptr<BodySource> body_; // none: all of it is in bytes_
    BodyFraming framing_ = BodyFraming::length;
    std::uint64_t left_ = 0; // of a body with a length
    bool has_body_ = false;
    bool starved_ = false; // the body has no bytes yet
    Deadline held_until_ = Deadline::after({});
    std::vector<std::byte> piece_;
    int error_ = 0;
};

} // namespace ipcbox::http
