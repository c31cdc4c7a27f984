// The system's log, through its local socket: syslog(3), RFC 3164.
#pragma once

#include "core/fd.h"

#include <ctime>
#include <string>
#include <string_view>

namespace ipcbox::process {

enum class Severity { error = 3, notice = 5, info = 6 };

class SystemLog {
  public:
    // TAG is the name of the sender in the log. Throws SysError when no socket can be made.
    explicit SystemLog(std::string tag, std::string path = "/dev/log");

    // Sends one message of the facility daemon, with PID after the tag. The log daemon can be
    // restarted between two lines. A line that it does not accept within a second is lost.
    void write(Severity severity, pid_t pid, std::string_view line) noexcept;

  private:
    std::string tag_;
    std::string path_;
    Fd socket_;
};

// "<30>Nov 28 16:58:01 TAG[PID]: LINE" at TIME, in local time.
[[nodiscard]] std::string system_log_message(Severity severity, std::string_view tag, pid_t pid,
                                             std::time_t time, std::string_view line);

} // namespace ipcbox::process
