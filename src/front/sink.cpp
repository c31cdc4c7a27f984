#include "front/sink.h"

#include "cli/output.h"
#include "core/error.h"
#include "core/io.h"
#include "core/syscall.h"

#include <climits>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::front {

Sink::Sink() : Sink("standard output", Fd{}, STDOUT_FILENO) {}

Sink::Sink(const std::string& path)
    : Sink(path, open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, new_file_mode), -1) {}

Sink::Sink(std::string name, Fd file, int fd)
    : name_(std::move(name)), file_(std::move(file)), fd_(file_ ? file_.get() : fd) {
    const mode_t kind = file_kind(fd_);
    is_pipe_ = S_ISFIFO(kind) || S_ISSOCK(kind);
}

void Sink::write(std::string_view text, const std::function<bool(int fd)>& is_ready) try {
    while (!text.empty() && works()) {
        if (is_pipe_ && !is_ready(fd_)) return;
        const auto now = is_pipe_ ? text.substr(0, PIPE_BUF) : text;
        text.remove_prefix(write_some(fd_, std::as_bytes(std::span{now}), name_));
    }
} catch (const SysError& error) {
    error_ = error.error();
    // If our reader has gone, end in silence, as every program does.
    if (fd_ != STDOUT_FILENO || error_ != EPIPE) cli::diagnose(error.what());
}

} // namespace ipcbox::front
