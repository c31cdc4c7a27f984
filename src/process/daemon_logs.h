// Where the output of a daemon goes that we read: to log files, or to the system's log.
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
    // Files for standard output and standard error; nothing: what comes there is dropped. The same
    // for both is one log.
    std::optional<std::string> output{};
    std::optional<std::string> error{};
    std::optional<Rotation> rotation{};
    RotatingLog::Start start = RotatingLog::Start::truncate;
    // The name of the daemon in the system's log, which gets all lines too; nothing: it gets none.
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

    // Reads what there is, without waiting. PID is the daemon's.
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
