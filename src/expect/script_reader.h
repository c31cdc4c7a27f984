// The source of a script, byte by byte, with the place of each: what the parser of the language of
// pty-expect (expect/script.h) reads.
#pragma once

#include "core/error.h"

#include <cstddef>
#include <string_view>

namespace ipcbox::expect {

// Counted from 1; a column is a byte.
struct Position {
    std::size_t line = 1;
    std::size_t column = 1;
};

// "NAME:LINE:COLUMN: REASON", with the status of a wrong command line.
class ScriptError : public Error {
  public:
    ScriptError(std::string_view name, Position at, std::string_view reason);
    [[nodiscard]] Position at() const noexcept { return at_; }

  private:
    Position at_;
};

class ScriptReader {
  public:
    // NAME is the file's, for errors. Both have to live as long as the reader.
    ScriptReader(std::string_view source, std::string_view name);

    [[nodiscard]] bool at_end() const { return next_ >= source_.size(); }
    // The next byte; zero at the end.
    [[nodiscard]] char peek() const { return at_end() ? '\0' : source_[next_]; }
    [[nodiscard]] bool at_line_end() const { return at_end() || peek() == '\n'; }
    [[nodiscard]] Position position() const { return {line_, next_ - line_begin_ + 1}; }
    [[nodiscard]] std::size_t offset() const { return next_; }
    [[nodiscard]] std::string_view since(std::size_t offset) const {
        return source_.substr(offset, next_ - offset);
    }
    // The same, without the blanks and the comment that were skipped last.
    [[nodiscard]] std::string_view text_since(std::size_t offset) const {
        return source_.substr(offset, text_end_ - offset);
    }

    char take();
    // Skips blanks and takes BYTE, if that is what follows.
    bool take_if(char byte);
    // Skips blanks, and a comment up to the end of the line.
    void skip_blanks();
    // Skips line ends, too, and the bytes in OTHERS.
    void skip_lines(std::string_view others = {});

    // Skips blanks, and returns the text up to a byte of STOPS.
    static constexpr std::string_view blanks = " \t\r\n";
    [[nodiscard]] std::string_view word(std::string_view stops = blanks);
    // The text between two DELIMITERs on this line; one after a backslash is inside. Throws
    // ScriptError: expected WHAT.
    [[nodiscard]] std::string_view delimited(char delimiter, std::string_view what);

    // Throws ScriptError if more than blanks and a comment follows on the line.
    void expect_line_end();
    [[noreturn]] void fail(Position at, std::string_view reason) const;

  private:
    std::string_view source_;
    std::string_view name_;
    std::size_t next_ = 0;
    std::size_t line_ = 1;
    std::size_t line_begin_ = 0;
    std::size_t text_end_ = 0; // before the blanks that end at skipped_to_
    std::size_t skipped_to_ = 0;
};

} // namespace ipcbox::expect
