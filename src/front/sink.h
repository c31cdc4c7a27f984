// Where the lines of a command that runs beside us go: standard output or a file, until a write
// fails. The failure is told once, and the command goes on.
#pragma once

#include "core/fd.h"

#include <functional>
#include <string>
#include <string_view>

namespace ipcbox::front {

class Sink {
  public:
    // Standard output.
    Sink();
    // The file PATH, which is made, or emptied first. Throws SysError.
    explicit Sink(const std::string& path);

    [[nodiscard]] bool works() const { return error_ == 0; }
    // Why it does not: an errno.
    [[nodiscard]] int error() const { return error_; }

    // Writes TEXT, or nothing when it works no more. A write to a pipe may wait for its reader,
    // unless it is small and poll(2) says so: before each of those IS_READY is called, which waits
    // until the descriptor can be written; false: give up.
    void write(std::string_view text, const std::function<bool(int fd)>& is_ready);

  private:
    Sink(std::string name, Fd file, int fd);

    std::string name_;
    Fd file_;
    int fd_;
    bool is_pipe_ = false;
    int error_ = 0;
};

} // namespace ipcbox::front
