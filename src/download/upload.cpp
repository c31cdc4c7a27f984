#include "download/upload.h"

#include "core/error.h"
#include "core/input_file.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "download/place.h"
#include "http/failure.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::download {

Upload::Upload(const std::string& file) : name_(input_name(file)) {
    if (file == "-") return;
    try {
        const auto look = look_at(file);
        if (look.kind == ExistingFile::Kind::regular) length_ = look.size;
        if (const auto status = status_of(file); status && S_ISDIR(status->st_mode))
            throw http::TransferError(fmt::format("cannot send {}: it is a directory", file),
                                      http::status::cannot_read);
        file_ = open_file(file, O_RDONLY);
    } catch (const SysError& error) {
        throw http::TransferError(error.what(), http::status::cannot_read);
    }
}

int Upload::waits_for() const {
    return file_ ? file_.get() : STDIN_FILENO;
}

std::optional<std::size_t> Upload::read(std::span<std::byte> into) {
    is_begun_ = true;
    try {
        // A FIFO or a terminal may have no bytes yet, so do not block.
        if (!length_ && !wait_for(waits_for(), POLLIN, Deadline::after({}))) return std::nullopt;
        return read_some(waits_for(), into, name_);
    } catch (const SysError& error) {
        throw http::TransferError(error.what(), http::status::cannot_read);
    }
}

void Upload::rewind() {
    if (!std::exchange(is_begun_, false)) return;
    if (sys::call("lseek", ::lseek, waits_for(), off_t{0}, SEEK_SET) < 0)
        throw http::TransferError(
            fmt::format("{} was sent already, and cannot be read again", name_),
            http::status::cannot_send);
}

} // namespace ipcbox::download
