#include "process/daemon_logs.h"

#include "core/error.h"
#include "core/io.h"
#include "core/syscall.h"

#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::process {

DaemonLogs::DaemonLogs(const LogPlan& plan, std::function<void(std::string_view)> on_line)
    : on_line_(std::move(on_line)) {
    if (plan.system_tag) system_.emplace(*plan.system_tag);
    const auto open = [&plan](const std::string& path) {
        return std::make_shared<RotatingLog>(path, plan.rotation, plan.start);
    };
    if (plan.output) streams_[0].log = open(*plan.output);
    if (plan.error)
        streams_[1].log = plan.error == plan.output ? streams_[0].log : open(*plan.error);
    streams_[1].severity = Severity::error;
    for (auto& stream : streams_) {
        stream.pipe = make_pipe();
        set_nonblocking(stream.pipe.reader);
    }
}

void DaemonLogs::read(pid_t pid) {
    constexpr std::size_t size = 64UL * 1024;
    std::array<char, size> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (auto& stream : streams_)
        for (;;) {
            const auto count = sys::call("read", ::read, stream.pipe.reader.get(),
                                         static_cast<void*>(buffer.data()), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) break;
            take(stream, {buffer.data(), static_cast<std::size_t>(count)}, pid);
        }
}

void DaemonLogs::take(Stream& stream, std::string_view text, pid_t pid) {
    // A longer line is reported in pieces.
    constexpr std::size_t max_line = 8UL * 1024;
    if (stream.log) stream.log->write(text);
    if (!system_ && !on_line_) return;
    stream.begun += text;
    std::string_view left = stream.begun;
    for (;;) {
        const auto end = left.find('\n');
        if (end == std::string_view::npos && left.size() < max_line) break;
        tell_line(stream, left.substr(0, std::min(end, max_line)), pid);
        left.remove_prefix(end < max_line ? end + 1 : max_line);
    }
    stream.begun.erase(0, stream.begun.size() - left.size());
}

void DaemonLogs::tell_line(const Stream& stream, std::string_view line, pid_t pid) {
    if (system_ && !line.empty()) system_->write(stream.severity, pid, line);
    if (on_line_) on_line_(line);
}

void DaemonLogs::reopen() noexcept {
    for (auto& stream : streams_)
        if (stream.log) stream.log->reopen();
}

void DaemonLogs::note(std::string_view text) {
    const auto& log = streams_[1].log ? streams_[1].log : streams_[0].log;
    if (log) log->write(fmt::format("daemon-run: {}\n", text));
    if (system_) system_->write(Severity::notice, ::getpid(), text);
}

} // namespace ipcbox::process
