// The lines of a file that people write: lists of hosts, of URLs, of checksums, rules.
#pragma once

#include <optional>
#include <string_view>

namespace ipcbox {

// TEXT without the byte order mark (U+FEFF, in UTF-8) that editors on Windows put in front of it.
// All code that reads a file written by a person begins with this, or with TextLines.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

// TEXT without spaces, tabs and carriage returns at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

struct TextLine {
    std::string_view text; // without its line feed, nor a carriage return before that
    unsigned number = 1;   // the first line is 1
};

//     for (TextLines lines{text}; const auto line = lines.next();)
class TextLines {
  public:
    // Skips a byte order mark. The text has to outlive the lines.
    explicit TextLines(std::string_view text) : left_(without_byte_order_mark(text)) {}

    // Nothing at the end. The last line needs no line feed.
    [[nodiscard]] std::optional<TextLine> next();

  private:
    std::string_view left_;
    unsigned number_ = 0;
};

} // namespace ipcbox
