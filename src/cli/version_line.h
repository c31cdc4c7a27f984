// The output of --version. Only main.cpp knows the commit, so that a new commit recompiles only one
// file.
#pragma once

#include <string_view>

namespace ipcbox::cli {

void set_version_line(std::string_view line) noexcept;
// With its line feed.
[[nodiscard]] std::string_view version_line() noexcept;

} // namespace ipcbox::cli
