// Large copies between a file and memory that several processes share, at the speed of memory: no
// buffer between, pages brought in ahead of the copy, two threads where that pays.
//
// Measured for a segment of 1 GiB beside cp(1) to /dev/shm and back: read(2) and write(2) that meet
// a page which is not there yet stop for each of them (a write even gives up and starts again), so
// the pages are populated first, in windows that stay in the cache.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace ipcbox {

// Fills INTO from FD, from where FD stands, until it is full or the file ends; the bytes read.
// Throws SysError "cannot read OBJECT".
[[nodiscard]] std::size_t fill_memory(int fd, std::span<std::byte> into, std::string_view object);

// Writes all of FROM. Throws SysError "cannot write OBJECT".
void drain_memory(int fd, std::span<const std::byte> from, std::string_view object);

// The bytes of a regular file from where FD stands to its end; nothing for another kind of file.
[[nodiscard]] std::optional<std::size_t> bytes_left(int fd);

// Whether FD has more to read; waits until that is known. It reads nothing from a pipe, a socket or
// a file, which can tell without. Throws SysError "cannot read OBJECT".
[[nodiscard]] bool has_more(int fd, std::string_view object);

} // namespace ipcbox
