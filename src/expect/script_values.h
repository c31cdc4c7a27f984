// The values in the statements of a script (expect/script.h). Each function skips blanks, takes
// what follows, and throws ScriptError where that is not what it should be.
#pragma once

#include "core/deadline.h"
#include "expect/pattern.h"
#include "expect/script_reader.h"
#include "expect/script_text.h"

#include <string>
#include <string_view>

namespace ipcbox::expect {

// Zero is no limit: Duration::max().
[[nodiscard]] Duration read_duration(ScriptReader& reader);
// From 0 to 255. It ends before a byte of STOPS.
[[nodiscard]] int read_status(ScriptReader& reader, std::string_view stops);
// WHAT says in the error what was expected: "a label".
[[nodiscard]] std::string read_name(ScriptReader& reader, std::string_view what);
// /REGEX/, and after it the letters i, m, s and x as in Perl.
[[nodiscard]] Pattern read_pattern(ScriptReader& reader);
// A text in quotes.
[[nodiscard]] Text read_quoted(ScriptReader& reader);

// WORD, which was read AT, has to be a name.
void require_name(const ScriptReader& reader, Position at, std::string_view word,
                  std::string_view what);

} // namespace ipcbox::expect
