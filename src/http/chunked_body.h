// A body in chunks (RFC 9112, section 7.1), as its bytes come. Two deviations that servers are
// known for are read: blanks behind a chunk's size, and lines that end in a lone line feed.
// Whatever could be read in two ways is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace ipcbox::http {

class ChunkedBody {
  public:
    // A line of a chunk, and all of the trailers behind the body, have at most that many bytes.
    static constexpr std::size_t max_line_bytes = 256UL * 1024;
    static constexpr std::size_t max_trailers = 1000;

    // Gives the content in BYTES to SINK and says how many bytes it has taken. The bytes that are
    // left have to be shown again with more behind them. Throws ProtocolError, and what SINK
    // throws.
    using Sink = std::function<void(std::string_view)>;
    [[nodiscard]] std::size_t parse(std::string_view bytes, const Sink& sink);
    [[nodiscard]] bool is_done() const { return state_ == State::done; }
    // Nothing was deviant so far.
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
