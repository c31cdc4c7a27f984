// Parses HTTP answers (RFC 9112): the head, and a body in chunks. The caller reads the bytes. Every
// size that a server controls has a limit. The grammar of the head is Boost.Beast's.
//
// The parser refuses bytes that one reader could take for one message and another for two (request
// smuggling, RFC 9112, section 11.2): lengths that contradict each other, a length beside an
// encoding, a transfer coding that is not chunked.
#pragma once

#include "http/chunked_body.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {

struct Field {
    std::string name;
    std::string value;
};

struct ResponseHead {
    int version = 11; // 10 or 11
    int status = 0;
    std::string reason; // often empty
    std::vector<Field> fields;
    // As they came, with those of the 1xx answers before it, up to its empty line.
    std::string bytes;

    // The first field of that name, in any case; nullptr when there is none.
    [[nodiscard]] const std::string* find(std::string_view name) const;
    [[nodiscard]] bool is_redirect() const; // with a Location
};

class ResponseParser {
  public:
    // The kind of request decides whether the answer has a body (RFC 9112, section 6.3).
    enum class Asked { document, head, tunnel };
    explicit ResponseParser(Asked asked);
    ~ResponseParser();
    ResponseParser(const ResponseParser&) = delete;
    ResponseParser& operator=(const ResponseParser&) = delete;

    // The maximum size of a head.
    static constexpr std::size_t max_head_bytes = 256UL * 1024;
    static constexpr std::size_t max_fields = 1000;
    static constexpr int max_interim_responses = 20; // 1xx

    // Parses the head at the front of BYTES and returns its size. Returns 0 while the head is not
    // whole: then pass the same bytes again with more after them. Throws ProtocolError as soon as
    // it is clear that this is not HTTP.
    [[nodiscard]] std::size_t parse_head(std::string_view bytes);
    [[nodiscard]] bool has_head() const { return has_head_; }
    // The number of 1xx answers before it.
    [[nodiscard]] int interim_responses() const { return interim_; }
    [[nodiscard]] ResponseHead& head() { return head_; }

    enum class Framing { none, length, chunked, until_close };
    [[nodiscard]] Framing framing() const { return framing_; }
    // The length of the body, for Framing::length. For a HEAD request, the length that the body
    // would have.
    [[nodiscard]] std::uint64_t length() const { return length_; }
    // Whether the server will answer again on this connection once the body is read.
    [[nodiscard]] bool keeps_alive() const { return keeps_alive_; }

    // For Framing::chunked: gives the content in BYTES to SINK, and returns how many of BYTES it
    // has used. Pass the rest again, with more bytes after it. Throws ProtocolError, and what SINK
    // throws.
    using Sink = ChunkedBody::Sink;
    [[nodiscard]] std::size_t parse_chunked(std::string_view bytes, const Sink& sink);
    [[nodiscard]] bool is_done() const { return chunks_.is_done(); }

  private:
    class Grammar;
    [[nodiscard]] std::size_t parse_one_head(std::string_view bytes);
    [[nodiscard]] std::string read_head(std::string_view lines);
    void decide_framing();

    Asked asked_;
    std::unique_ptr<Grammar> grammar_;
    ResponseHead head_;
    std::string heads_; // as they came, with those of 1xx answers
    bool has_head_ = false;
    int interim_ = 0;
    Framing framing_ = Framing::none;
    std::uint64_t length_ = 0;
    bool keeps_alive_ = false;
    ChunkedBody chunks_;
    bool lenient_ = false; // a head had mistakes, perhaps that of a 1xx answer
};

} // namespace ipcbox::http
