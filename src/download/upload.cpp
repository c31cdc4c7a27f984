#include "download/upload.h"

#include "core/io.h"
#include "download/part_file.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::download {

namespace {

constexpr std::size_t piece_size = 128UL * 1024;

} // namespace

Upload::Upload(const std::string& file) : name_(file == "-" ? "standard input" : file) {
    if (file == "-") return;
    try {
        const auto look = look_at(file);
        if (look.kind == ExistingFile::Kind::regular) length_ = look.size;
        file_ = open_file(file, O_RDONLY);
    } catch (const SysError& error) {
        throw http::TransferError(error.what(), http::status::cannot_read);
    }
}

std::size_t Upload::read(std::span<std::byte> into, Deadline deadline) const {
    try {
        return read_some(file_ ? file_.get() : STDIN_FILENO, into, name_, deadline);
    } catch (const SysError& error) {
        throw http::TransferError(error.what(), http::status::cannot_read);
    }
}

bool Upload::send(http::Connection& connection, Deadline deadline) const {
    std::vector<std::byte> piece(piece_size);
    for (auto left = length_; left != 0;) {
        const auto most = static_cast<std::size_t>(
            std::min<std::uint64_t>(piece.size(), left.value_or(piece.size())));
        const auto got = read(std::span{piece}.first(most), deadline);
        const std::string_view bytes{reinterpret_cast<const char*>(piece.data()), got};
        if (left && got == 0)
            throw http::TransferError(fmt::format("cannot read {}: it became shorter", name_),
                                      http::status::cannot_read);
        if (left) *left -= got;
        // The chunk without bytes is the last.
        const bool sent = length_ ? connection.send(bytes, deadline)
                                  : connection.send(fmt::format("{:x}\r\n", got), deadline) &&
                                        connection.send(bytes, deadline) &&
                                        connection.send("\r\n", deadline);
        if (!sent || got == 0) return sent;
    }
    return true;
}

} // namespace ipcbox::download
