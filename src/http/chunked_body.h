// A body in chunks (RFC 9112, section 7.1), as its bytes come. The parser accepts two common
// mistakes of servers: blanks after a chunk's size, and lines that end in a lone line feed. It
// refuses everything that could be read in two ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace ipcbox::http {

class ChunkedBody {
  public:
    // The maximum size of one line of a chunk, and of all trailers after the body together.
    static constexpr std::size_t max_line_bytes = 256UL * 1024;
    static constexpr std::size_t max_trailers = 1000;

    // Gives the content in BYTES to SINK and returns how many of BYTES it has used. Pass the rest
    // again, with more bytes after it. Throws ProtocolError, and what SINK throws.
    using Sink = std::function<void(std::string_view)>;
    [[nodiscard]] std::size_t parse(std::string_view bytes, const Sink& sink);
    [[nodiscard]] bool is_done() const { return state_ == State::done; }
    // Whether the body has kept to the standard so far.
    [[nodiscard]] bool is_strict() const { return strict_; }

  private:
    enum class State { size, data, data_end, trailers, done };

    void take_line(std::string_view line);
    void begin_chunk(std::string_view line);
    void take_trailer(std::string_view line);

    State state_ = State::size;
    std::uint64_t left_ = 0; // of the chunk
    std::size_t trailers_ = 0;
    std::size_t trailer_bytes_ = 0;
    bool strict_ = true;
};

} // namespace ipcbox::http
