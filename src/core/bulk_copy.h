// Large copies between a file and memory that several processes share, at the speed of memory:
// without a buffer in between, with pages brought in ahead of the copy, and with two threads where
// that is faster.
//
// Measured with a segment of 1 GiB, beside cp(1) to /dev/shm and back: read(2) and write(2) stop at
// each page that is not there yet (a write even gives up and starts again). So the pages are
// populated first, in windows that stay in the cache.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace ipcbox {

// Fills INTO from the position of FD, until it is full or the file ends. Returns the number of
// bytes read. Throws SysError "cannot read OBJECT".
[[nodiscard]] std::size_t fill_memory(int fd, std::span<std::byte> into, std::string_view object);

// Writes all of FROM. Throws SysError "cannot write OBJECT".
void drain_memory(int fd, std::span<const std::byte> from, std::string_view object);

// How many bytes of a regular file follow the position of FD; nothing for another kind of file.
[[nodiscard]] std::optional<std::size_t> bytes_left(int fd);

// Whether FD has more to read. Waits until that is known. It takes no byte from a pipe, a socket or
// a file, which can be asked without reading. Throws SysError "cannot read OBJECT".
[[nodiscard]] bool has_more(int fd, std::string_view object);

} // namespace ipcbox
