#include "http/outgoing.h"

#include "core/syscall.h"
#include "http/failure.h"

#include <algorithm>
#include <fmt/core.h>
#include <sys/socket.h>
#include <utility>

namespace ipcbox::http {

namespace {

constexpr std::size_t piece_size = 128UL * 1024;
constexpr int max_calls = 8;
constexpr Duration max_hold = std::chrono::seconds{1}; // as curl

} // namespace

void Outgoing::add(std::string_view text) {
    if (sent_ == bytes_.size()) drop();
    bytes_ += text;
}

void Outgoing::add(RequestBody body) {
    framing_ = body.framing;
    left_ = body.size;
    has_body_ = body.source && (framing_ == BodyFraming::chunks || left_ > 0);
    if (!has_body_) return;
    body_ = std::move(body.source);
    body_->restart();
    if (body.wait_for_100) held_until_ = Deadline::after(max_hold);
}

void Outgoing::drop() {
    bytes_.clear();
    sent_ = 0;
    body_.reset();
    has_body_ = false;
    starved_ = false;
}

// Takes the next piece of the body; false when there is none to send now.
bool Outgoing::fill() {
    if (!body_ || is_held()) return false;
    piece_.resize(piece_size);
    auto into = std::span{piece_};
    if (framing_ == BodyFraming::length)
        into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_)));
    const auto got = body_->take(into);
    starved_ = !got;
    if (!got) return false;
    const std::string_view piece{reinterpret_cast<const char*>(piece_.data()), *got};
    sent_ = 0;
    if (framing_ == BodyFraming::chunks) {
        // An empty chunk is the last one.
        bytes_ = fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
        if (piece.empty()) body_.reset();
        return true;
    }
    if (piece.empty())
        throw TransferError(
            fmt::format("cannot send the whole body: it ended {} bytes early", left_),
            status::cannot_read);
    bytes_ = piece;
    left_ -= piece.size();
    if (left_ == 0) body_.reset();
    return true;
}

void Outgoing::send_some(int socket) {
    for (int calls = 0; error_ == 0 && calls < max_calls; ++calls) {
        if (pending().empty() && !fill()) return;
        const auto bytes = pending();
        const ssize_t sent =
            sys::call("send", ::send, socket, static_cast<const void*>(bytes.data()), bytes.size(),
                      MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0)
            sent_ += static_cast<std::size_t>(sent);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            error_ = errno;
    }
}

Outgoing::Wait Outgoing::waits_for(int socket) const {
    if (is_over()) return {{-1, 0, 0}, Deadline::never()};
    if (!pending().empty()) return {{socket, POLLOUT, 0}, Deadline::never()};
    if (is_held()) return {{-1, 0, 0}, held_until_};
    if (starved_) return {{body_->waits_for(), POLLIN, 0}, Deadline::never()};
    return {{socket, POLLOUT, 0}, Deadline::never()};
}

} // namespace ipcbox::http
