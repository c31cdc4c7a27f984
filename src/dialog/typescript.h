// A recording of what a program showed: the output in one file, and in another one when which part
// of it came, as script(1) writes and scriptreplay(1) plays them.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <string>
#include <string_view>

namespace ipcbox::dialog {

class Typescript {
  public:
    // Empties the files; an empty name means none. With TIMING the output begins with a line of
    // ours, which scriptreplay(1) leaves out. Throws SysError.
    Typescript(std::string output, std::string timing);

    // The program has just shown TEXT. Throws SysError.
    void add(std::string_view text);

  private:
    std::string output_name_;
    std::string timing_name_;
    Fd output_;
    Fd timing_;
    Deadline::Clock::time_point last_ = Deadline::Clock::now();
};

} // namespace ipcbox::dialog
