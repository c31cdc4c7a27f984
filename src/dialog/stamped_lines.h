// Turns two streams of bytes into one stream of stamped lines, in the form of annotate-output(1) or
// as JSON. Nothing here reads, writes or looks at a clock, and nothing is allocated for a line.
//
//     LineSplitter splitter;
//     splitter.add(read_some(fd, splitter.space(), "the pipe"), now);
//     lines.begin(Stream::output, stamp.at(now));
//     while (const auto piece = splitter.next()) lines.append(buffer, *piece);
#pragma once

#include "dialog/stamp.h"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::dialog {

// A line without its line feed or, if the line feed has not come (yet), a part of a line, of which
// more may follow.
struct Piece {
    enum class Kind { whole, partial };
    std::string_view text;
    Kind kind = Kind::whole;
};

class LineSplitter {
  public:
    // A longer line comes in pieces of this size, so that memory is bounded. UTF-8 sequences stay
    // whole.
    static constexpr std::size_t max_piece = 64UL * 1024;
    // An unfinished line is shown when it is this old.
    static constexpr Moment patience = std::chrono::milliseconds{100};

    LineSplitter();

    // Where to put the next bytes; never empty when next() has returned nothing.
    [[nodiscard]] std::span<std::byte> space();
    // COUNT bytes were put there at the time NOW.
    void add(std::size_t count, Moment now);
    // The next line or full piece; nothing when only an unfinished line is left. The text is valid
    // until the next call of space().
    [[nodiscard]] std::optional<Piece> next();
    // The unfinished line; nothing when there is none. `Rest::so_far` leaves an incomplete UTF-8
    // sequence for later.
    enum class Rest { so_far, last };
    [[nodiscard]] std::optional<Piece> rest(Rest rest);
    // When to show the unfinished line; nothing when there is none.
    [[nodiscard]] std::optional<Moment> due() const;

  private:
    // What next() has not returned.
    [[nodiscard]] std::string_view left() const;
    [[nodiscard]] Piece take(std::size_t length, Piece::Kind kind);

    static constexpr std::size_t capacity = 4 * max_piece;

    std::vector<std::byte> buffer_;
    std::size_t begin_ = 0; // of left()
    std::size_t end_ = 0;
    std::size_t scanned_ = 0; // up to here there is no line feed
    Moment last_{};           // add()
    Moment since_{};          // the oldest byte of the unfinished line; max(): it is to wait
};

enum class Stream { output, error, information };

// The text of lines.
class LineText {
  public:
    // Text is "STAMP O: the line", with E for stderr and I for information. A partial piece has "+"
    // instead of ":". JSON is an object each: v, time, stream, text and partial; what is not UTF-8
    // becomes U+FFFD.
    enum class Form { text, json };
    // Colours are those of a terminal: stderr red, information dim.
    enum class Colours { none, some };

    LineText(Form form, Colours colours) : form_(form), colours_(colours) {}

    // The lines that follow are STREAM's, at the time STAMP.
    void begin(Stream stream, std::string_view stamp);
    // Adds PIECE, with a line feed, to INTO.
    void append(std::string& into, const Piece& piece) const;

    // At most this is added for a piece of LineSplitter's.
    static constexpr std::size_t max_line = 6 * (LineSplitter::max_piece + Stamp::max_length) + 200;

  private:
    Form form_;
    Colours colours_;
    std::array<std::string, 2> before_; // by Piece::Kind
    std::array<std::string, 2> after_;
};

// Adds TEXT as what stands between the quotation marks of a JSON string.
void append_json(std::string& into, std::string_view text);

} // namespace ipcbox::dialog
