#include "http/chunked_body.h"

#include "core/ascii.h"
#include "core/number.h"
#include "http/failure.h"

#include <algorithm>

namespace ipcbox::http {

namespace {

[[noreturn]] void fail(const char* reason) {
    throw ProtocolError(std::string{"the body cannot be understood: "} + reason);
}

bool is_control(char byte) {
    return (static_cast<unsigned char>(byte) < ' ' && byte != '\t') || byte == '\x7f';
}

} // namespace

std::size_t ChunkedBody::parse(std::string_view bytes, const Sink& sink) {
    std::size_t taken = 0;
    while (state_ != State::done && taken < bytes.size()) {
        const auto rest = bytes.substr(taken);
        if (state_ == State::data) {
            const auto piece = rest.substr(
                0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size())));
            left_ -= piece.size();
            taken += piece.size();
            if (left_ == 0) state_ = State::data_end;
            sink(piece);
            continue;
        }
        // Only the end of the line can follow the data of a chunk.
        if (state_ == State::data_end && rest[0] != '\r' && rest[0] != '\n') fail("a bad chunk");
        const auto end = rest.find('\n');
        if (std::min(end, rest.size()) > max_line_bytes)
            fail(state_ == State::trailers ? "a head or a trailer without end"
                                           : "a chunk's head without end");
        if (end == std::string_view::npos) break;
        auto line = rest.substr(0, end);
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        else
            strict_ = false;
        taken += end + 1;
        take_line(line);
    }
    return taken;
}

void ChunkedBody::take_line(std::string_view line) {
    switch (state_) {
    case State::size:
        return begin_chunk(line);
    case State::data_end:
        if (!line.empty()) fail("a bad chunk");
        state_ = State::size;
        break;
    case State::trailers:
        return take_trailer(line);
    case State::data:
    case State::done:
        break;
    }
}

// "1F", "1F;name=value", or "1F  "
void ChunkedBody::begin_chunk(std::string_view line) {
    const auto extension = line.find(';');
    auto digits = line.substr(0, extension);
    if (const auto last = digits.find_last_not_of(" \t"); last + 1 < digits.size()) {
        digits = digits.substr(0, last + 1);
        strict_ = strict_ && extension != std::string_view::npos;
    }
    const auto size = whole_number<std::uint64_t>(digits, 16);
    if (!size || digits.front() == '-') fail("a bad chunk");
    if (extension != std::string_view::npos &&
        std::ranges::any_of(line.substr(extension), is_control))
        fail("a bad chunk extension");
    left_ = *size;
    state_ = left_ > 0 ? State::data : State::trailers;
}

void ChunkedBody::take_trailer(std::string_view line) {
    if (line.empty()) {
        state_ = State::done;
        return;
    }
    trailer_bytes_ += line.size();
    if (++trailers_ > max_trailers || trailer_bytes_ > max_line_bytes)
        fail("a head or a trailer without end");
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || std::ranges::any_of(line, is_control))
        fail("a bad trailer");
}

} // namespace ipcbox::http
