// The texts of send and set in a script (expect/script.h): with escapes, and with parts that are
// known only when the text is sent.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::expect {

// A name of a label or a variable has letters, digits, "_" and "-".
[[nodiscard]] bool is_script_name(std::string_view text);

struct Text {
    enum class Kind { literal, group, variable };
    struct Piece {
        Kind kind = Kind::literal;
        std::string text; // or the variable's name
        std::size_t group = 0;
    };
    std::vector<Piece> pieces;
};

// What is wrong with a text, and at which of its bytes, counted from 0.
class BadText : public std::invalid_argument {
  public:
    BadText(const std::string& reason, std::size_t offset)
        : std::invalid_argument(reason), offset_(offset) {}
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

  private:
    std::size_t offset_;
};

// TEXT as it stands between the quotes: \r \n \t \e \a \b \\ \" \$ \xHH, \0 to \9 for a group of
// the last match, ${NAME} for a variable. Throws BadText.
[[nodiscard]] Text parse_text(std::string_view text);

} // namespace ipcbox::expect
