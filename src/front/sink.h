// The destination of the lines of a command that runs beside us: standard output or a file, until a
// write fails. The failure is reported once, and the command goes on.
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
    // The file PATH, which is created or emptied first. Throws SysError.
    explicit Sink(const std::string& path);

    [[nodiscard]] bool works() const { return error_ == 0; }
    // Why it does not work: an errno.
    [[nodiscard]] int error() const { return error_; }

    // Writes TEXT, or nothing once a write has failed. Only a small write to a pipe that poll(2)
    // reports as writable never waits for the reader. So before each such write it calls IS_READY,
    // which waits until the descriptor can be written, and returns false to give up.
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
