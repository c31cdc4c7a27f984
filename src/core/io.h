// Moving bytes. Two words for two promises: *_some makes one call (again on EINTR) and may move
// less than asked; *_all and *_exact loop until everything is moved. All of them wait no longer
// than their deadline (TimedOut). A large write to a blocking descriptor can take longer than that,
// so if a deadline has to hold for a writer, make the descriptor non-blocking.
#pragma once

#include "core/deadline.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox {

// The bytes read; 0 at the end of file. Throws SysError "cannot read OBJECT".
[[nodiscard]] std::size_t read_some(int fd, std::span<std::byte> into, std::string_view object,
                                    Deadline deadline = Deadline::never());

// Fills INTO unless the file ends first; the bytes read. Throws as read_some() does.
[[nodiscard]] std::size_t read_exact(int fd, std::span<std::byte> into, std::string_view object,
                                     Deadline deadline = Deadline::never());

// Everything up to the end of file. Throws Error when that is more than LIMIT bytes, and SysError.
[[nodiscard]] std::string read_to_end(int fd, std::size_t limit, std::string_view object,
                                      Deadline deadline = Deadline::never());

// The bytes written, at least one. Throws SysError "cannot write OBJECT".
[[nodiscard]] std::size_t write_some(int fd, std::span<const std::byte> from,
                                     std::string_view object,
                                     Deadline deadline = Deadline::never());

// Writes all of it. Throws as write_some() does.
void write_all(int fd, std::span<const std::byte> from, std::string_view object,
               Deadline deadline = Deadline::never());
void write_all(int fd, std::string_view text, std::string_view object,
               Deadline deadline = Deadline::never());

// Brings the written bytes to the disk: fsync(2). Both functions throw SysError "cannot write
// OBJECT".
void sync_file(int fd, std::string_view object);
// Cuts the file, or makes it longer with zero bytes: ftruncate(2).
void set_file_size(int fd, off_t size, std::string_view object);

} // namespace ipcbox
