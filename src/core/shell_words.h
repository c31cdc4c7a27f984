// A command line as words: the quoting rules of sh(1), without a shell (POSIX.1-2017, XCU 2.2).
//
//     shell_words("grep -c 'a b' \"it's\"") == {"grep", "-c", "a b", "it's"}
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox {

// The words of TEXT. Blanks and line feeds part them; '…', "…" and \ quote as in sh(1). Throws
// Error "column N: …" for a quote that is not closed, and for an unquoted character on which a
// shell would act (| & ; < > ( ) $ ` * ?, ~ and # at the front of a word): no shell is there to act
// on it, and the program would get it without a warning.
[[nodiscard]] std::vector<std::string> shell_words(std::string_view text);

} // namespace ipcbox
