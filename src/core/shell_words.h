// A command line as words: the quoting rules of sh(1), without a shell (POSIX.1-2017, XCU 2.2).
//
//     shell_words("grep -c 'a b' \"it's\"") == {"grep", "-c", "a b", "it's"}
#pragma once

#include "core/error.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox {

// "column N: REASON"
class ShellWordsError : public Error {
  public:
    ShellWordsError(std::size_t column, std::string_view reason);

    // From 1, in bytes.
    [[nodiscard]] std::size_t column() const noexcept { return column_; }
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

  private:
    std::size_t column_;
    std::string reason_;
};

// The words of TEXT. Blanks and line feeds separate them; '…', "…" and \ quote as in sh(1). Throws
// ShellWordsError for a quote that is not closed, and for an unquoted character on which a shell
// would act (| & ; < > ( ) $ ` * ?, ~ and # at the front of a word), because no shell acts on it
// here, and the program would get it without a warning.
[[nodiscard]] std::vector<std::string> shell_words(std::string_view text);

// WORD in a form that shell_words() and a shell read as this one word: unchanged if possible,
// otherwise between single quotes.
[[nodiscard]] std::string shell_quoted(std::string_view word);

} // namespace ipcbox
