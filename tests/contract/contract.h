// Small words for the contract tests: text in pieces, and what to do without a tool.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::test {

// An environment variable that meson sets; throws when it did not.
[[nodiscard]] std::string variable(const char* name);

// The pieces of TEXT between SEPARATORs, without the empty ones.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::vector<std::string> lines(std::string_view text);
[[nodiscard]] bool is_one_line(std::string_view text);

[[nodiscard]] std::string file_text(const std::string& path);

// Whether PROGRAM is installed. In CI ($CI) everything has to be: there, false is a failed check.
[[nodiscard]] bool can_run(const std::string& program);

} // namespace ipcbox::test
