// Errors, in words. One catch at the border (cli/border.h) prints `applet: what()` and ends the
// process with status(). An expected outcome (end of file, no token free) is a return value
// instead.
#pragma once

#include "core/exit_status.h"

#include <cerrno>
#include <exception>
#include <string>
#include <string_view>

namespace ipcbox {

class Error : public std::exception {
  public:
    explicit Error(std::string message, int status = exit_status::failed)
        : message_(std::move(message)), status_(status) {}

    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
    [[nodiscard]] int status() const noexcept { return status_; }

    // For an applet that runs a command, whose own failures have the status before_command.
    void set_status(int status) noexcept { status_ = status; }

  private:
    std::string message_;
    int status_;
};

// A system call failed: "cannot VERB OBJECT: REASON".
class SysError : public Error {
  public:
    SysError(std::string_view verb, std::string_view object, int error = errno);

    [[nodiscard]] int error() const noexcept { return error_; }

  private:
    int error_;
};

// A time limit of ours passed: "timed out: WHAT".
class TimedOut : public Error {
  public:
    explicit TimedOut(std::string_view what);
};

// The words for an errno value, in English in any locale: "Connection refused".
[[nodiscard]] std::string_view error_text(int error) noexcept;

} // namespace ipcbox
