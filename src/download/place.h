// Finds out where a file's name leads. The document may have to replace a file, or be written into
// a device, a FIFO or a descriptor that we were started with.
#pragma once

#include "core/file_identity.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace ipcbox::download {

// The object at a name: nothing, a file that a document may replace, or something that can only be
// written in place.
struct ExistingFile {
    enum class Kind { none, regular, special } kind = Kind::none;
    std::uint64_t size = 0;
    std::int64_t modified = 0; // seconds since 1970
};
// Throws SysError "cannot write NAME".
[[nodiscard]] ExistingFile look_at(const std::string& name);

// stat(2), or nothing when there is no such file. Throws SysError "cannot write PATH".
[[nodiscard]] std::optional<struct stat> status_of(const std::string& path);

// NAME with its symbolic links followed, so that the links stay when the file is replaced. The file
// need not exist yet. A link of /proc that leads to an open file is not followed: its text is not a
// usable path.
[[nodiscard]] std::string without_links(const std::string& name);

// The number in /dev/stdin, /dev/stdout, /dev/stderr, /dev/fd/N and /proc/self/fd/N, also when NAME
// is a symbolic link to one of them; nothing for any other name.
[[nodiscard]] std::optional<int> descriptor_named(const std::string& name);

// Whether NAME drops everything that is written to it: null(4).
[[nodiscard]] bool is_null_device(const std::string& name);

// A text that is the same for two names only when both lead to the same file. For a file that does
// not exist yet, it consists of its directory and last name. Empty for a device or a FIFO, to which
// several documents may be written.
[[nodiscard]] std::string identity_of(const std::string& name);

} // namespace ipcbox::download
