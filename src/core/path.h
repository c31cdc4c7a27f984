// Paths as text, and in the file system: path_resolution(7), readlink(2), mkdir(2). Used in place
// of std::filesystem, whose calls would pass by core/syscall.h, and which would link the streams of
// libstdc++ into the binary.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ipcbox {

// The part after the last slash: "b" for "a/b" and for "b", nothing for "a/".
[[nodiscard]] std::string_view name_of(std::string_view path);

// The part before it, the directory: "a" for "a/b", "/" for "/b", "." for "b".
[[nodiscard]] std::string directory_of(std::string_view path);

// PATH in a form that is right in any working directory; links stay in it. Throws SysError.
[[nodiscard]] std::string absolute_path(const std::string& path);

// Where a symbolic link points to; nothing when PATH is not a link or cannot be read (errno says
// why).
[[nodiscard]] std::optional<std::string> read_link(const std::string& path);

// Creates PATH and the directories above it, where they are missing. Throws SysError.
void make_directories(const std::string& path);

} // namespace ipcbox
