// The destinations of a daemon's output that we read: log files, or the system's log.
#pragma once

#include "core/fd.h"
#include "core/pipe.h"
#include "process/rotating_log.h"
#include "process/system_log.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::process {

struct LogPlan {
    // Files for standard output and standard error; nothing means that the output is dropped. If
    // both name the same file, it is one log.
    std::optional<std::string> output{};
    std::optional<std::string> error{};
    std::optional<Rotation> rotation{};
    RotatingLog::Start start = RotatingLog::Start::truncate;
    // The name of the daemon in the system's log, which also gets all lines; nothing means that it
    // gets none.
    std::optional<std::string> system_tag{};
};

class DaemonLogs {
  public:
    // ON_LINE is called for each line, without its line feed. Throws SysError when a log cannot be
    // opened.
    DaemonLogs(const LogPlan& plan, std::function<void(std::string_view)> on_line);

    // What the daemon writes to.
    [[nodiscard]] int output() const { return streams_[0].pipe.writer.get(); }
    [[nodiscard]] int error() const { return streams_[1].pipe.writer.get(); }
    // Readable when there is something to read().
    [[nodiscard]] std::array<int, 2> fds() const {
        return {streams_[0].pipe.reader.get(), streams_[1].pipe.reader.get()};
    }

    // Reads the output that is there, without waiting. PID is the daemon's.
    void read(pid_t pid);
    void reopen() noexcept;
    // A line of our own, "daemon-run: TEXT".
    void note(std::string_view text);

  private:
    struct Stream {
        Pipe pipe;
        std::shared_ptr<RotatingLog> log;
        Severity severity = Severity::info;
        std::string begun{}; // of a line
    };
    void take(Stream& stream, std::string_view text, pid_t pid);
    void tell_line(const Stream& stream, std::string_view line, pid_t pid);

    std::array<Stream, 2> streams_;
    std::optional<SystemLog> system_;
    std::function<void(std::string_view)> on_line_;
};

} // namespace ipcbox::process
