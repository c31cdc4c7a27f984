// Regular expressions on bytes, for a text that is still arriving: the only file that knows PCRE2
// (pcre2pattern(3), pcre2partial(3)).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::expect {

// What is wrong with an expression, and at which byte, counted from 0.
class BadPattern : public std::invalid_argument {
  public:
    BadPattern(const std::string& reason, std::size_t offset)
        : std::invalid_argument(reason), offset_(offset) {}
    [[nodiscard]] std::size_t offset() const noexcept { return offset_; }

  private:
    std::size_t offset_;
};

class Pattern {
  public:
    // Uses Perl's syntax. A line ends with LF, CR or CR LF, as on a terminal; "." matches none of
    // these. Throws BadPattern.
    explicit Pattern(std::string_view expression);
    ~Pattern();
    Pattern(Pattern&& other) noexcept;
    Pattern& operator=(Pattern&& other) noexcept;

    [[nodiscard]] const std::string& expression() const noexcept { return expression_; }

    struct Match {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::vector<std::string> groups; // \0 (the whole) first; empty for one that took no part
    };
    struct Found {
        std::optional<Match> match;
        // Without a match: where to begin again when bytes have been added to the text. No match
        // can begin before that, and the bytes before KEEP are not needed any more.
        std::size_t resume = 0;
        std::size_t keep = 0;
    };
    // The first match in TEXT that begins at FROM or later. Throws Error when the expression needs
    // too many steps or too much memory (it backtracks without end).
    [[nodiscard]] Found search(std::string_view text, std::size_t from = 0) const;
    // Whether there is one in a text that is complete. Throws as search() does.
    [[nodiscard]] bool matches(std::string_view text) const;

  private:
    struct Compiled;
    std::string expression_;
    std::unique_ptr<Compiled> compiled_;
};

} // namespace ipcbox::expect
