// A recording of a program's output: one file has the output, and another one the time of each
// part, in the form that script(1) writes and scriptreplay(1) plays.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <string>
#include <string_view>

namespace ipcbox::dialog {

class Typescript {
  public:
    // Empties the files; an empty name means no file. With TIMING, the output begins with a line of
    // ours, which scriptreplay(1) skips. Throws SysError.
    Typescript(std::string output, std::string timing);

    // The program has just shown TEXT. When that cannot be written, nothing more is: the program
    // goes on without a log.
    void add(std::string_view text);
    // Why the files are not whole; empty when they are.
    [[nodiscard]] const std::string& failure() const { return failure_; }

  private:
    std::string output_name_;
    std::string timing_name_;
    Fd output_;
    Fd timing_;
    std::string failure_;
    Deadline::Clock::time_point last_ = Deadline::Clock::now();
};

} // namespace ipcbox::dialog
