// A file that a program writes beside its work: a log, a copy, a report. When the file cannot be
// written, the work goes on; nothing more is written then, and failure() says why.
#pragma once

#include "core/fd.h"

#include <string>
#include <string_view>

namespace ipcbox {

class SideFile {
  public:
    // No file: write() does nothing.
    SideFile() = default;
    // Opens or creates NAME; FLAGS say whether it is emptied (O_TRUNC) or continued (O_APPEND).
    // Throws SysError.
    SideFile(std::string name, int flags);

    // Whether there is a file that can still be written.
    explicit operator bool() const noexcept { return static_cast<bool>(file_); }
    void write(std::string_view text);
    // No more is written. A late error of the kernel (close(2)) is a failure, too.
    void close();

    // Why the file is not complete; empty if it is.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

    // For an owner that writes by other system calls, too; -1 if nothing more can be written. If
    // such a call fails, write() does it, or finds out why not.
    [[nodiscard]] int fd() const noexcept { return file_.get(); }

  private:
    std::string name_;
    Fd file_;
    std::string failure_;
};

} // namespace ipcbox
