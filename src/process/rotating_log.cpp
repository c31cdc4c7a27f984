#include "process/rotating_log.h"

#include "core/error.h"
#include "core/io.h"
#include "core/syscall.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

namespace ipcbox::process {

RotatingLog::RotatingLog(std::string path, std::optional<Rotation> rotation, Start start)
    : path_(std::move(path)), rotation_(rotation) {
    open(start == Start::truncate ? O_TRUNC : 0);
}

void RotatingLog::open(int flags) {
    Fd file = open_file(path_, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | flags, new_file_mode);
    struct stat status {};
    if (sys::call("fstat", ::fstat, file.get(), &status) < 0) throw SysError("open", path_);
    file_ = std::move(file);
    // A device cannot be rotated.
    if (!S_ISREG(status.st_mode)) rotation_.reset();
    size_ = static_cast<std::uint64_t>(status.st_size);
    is_within_line_ = false;
}

void RotatingLog::reopen() noexcept try {
    open(0);
} catch (const Error&) { // NOLINT(bugprone-empty-catch): see the header
}

void RotatingLog::write(std::string_view text) noexcept {
    while (!text.empty()) {
        auto piece = text;
        if (rotation_ && size_ + text.size() > rotation_->max_size) {
            // Write all lines that fit, or else up to the end of the current line.
            const auto room = rotation_->max_size - std::min(size_, rotation_->max_size);
            const auto last = room == 0 ? std::string_view::npos : text.rfind('\n', room - 1);
            if (last != std::string_view::npos) {
                piece = text.substr(0, last + 1);
            } else if (!is_within_line_ && size_ > 0) {
                rotate();
                continue;
            } else {
                piece = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
            }
        }
        try {
            if (lost_ > 0)
                append(fmt::format("daemon-run: {} bytes of this log are lost\n", lost_));
            lost_ = 0;
            append(piece);
        } catch (const std::exception&) {
            lost_ += piece.size();
        }
        text.remove_prefix(piece.size());
    }
}

void RotatingLog::append(std::string_view text) {
    write_all(file_.get(), text, path_);
    size_ += text.size();
    is_within_line_ = text.back() != '\n';
}

// If a file cannot be renamed, the log continues in the current file for another max_size bytes.
void RotatingLog::rotate() {
    const auto name = [this](int number) { return fmt::format("{}.{}", path_, number); };
    const auto rename = [](const std::string& from, const std::string& to) {
        return sys::call("rename", ::rename, from.c_str(), to.c_str()) == 0;
    };
    size_ = 0;
    for (int number = rotation_->max_old; number > 1; --number)
        (void)rename(name(number - 1), name(number));
    if (rotation_->max_old > 0 && !rename(path_, name(1))) return;
    try {
        open(rotation_->max_old > 0 ? 0 : O_TRUNC);
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): go on in the old file
    }
}

} // namespace ipcbox::process
