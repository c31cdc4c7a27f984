// A recording of a program's output: one file has the output, and another one the time of each
// part, in the form that script(1) writes and scriptreplay(1) plays.
#pragma once

#include "core/deadline.h"
#include "core/side_file.h"

#include <string>
#include <string_view>

namespace ipcbox::dialog {

class Typescript {
  public:
    // Empties the files; an empty name means no file. With TIMING, the output begins with a line of
    // ours, which scriptreplay(1) skips. Throws SysError.
    Typescript(const std::string& output, const std::string& timing);

    // The program has just shown TEXT. When that cannot be written, nothing more is: the program
    // goes on without a log.
    void add(std::string_view text);
    // Why the files are not whole; empty when they are.
    [[nodiscard]] const std::string& failure() const {
        return output_.failure().empty() ? timing_.failure() : output_.failure();
    }

  private:
    SideFile output_;
    SideFile timing_;
    Deadline::Clock::time_point last_ = Deadline::Clock::now();
};

} // namespace ipcbox::dialog
