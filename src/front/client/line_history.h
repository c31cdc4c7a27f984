// The lines that a person typed to a server, kept for the next time: a file for each server, in
// $XDG_STATE_HOME/ipcbox/tcp-interact or ~/.local/state/ipcbox/tcp-interact, which only its owner
// can read.
#pragma once

#include "core/fd.h"

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

// The file for SERVER ("mail.example.com:25", "unix:/run/app.sock"); empty when we have no home.
[[nodiscard]] std::string history_file(std::string_view server);

class LineHistory {
  public:
    // Nothing is remembered.
    LineHistory() = default;
    // Creates the file and its directories if they are missing. A file that has grown to twice
    // max_lines is cut to the last max_lines. Throws SysError.
    explicit LineHistory(const std::string& file);

    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
    // Adds LINE to the file at once, in one write, because several sessions can share it. As in
    // shells, a line that begins with a blank is not added. Throws SysError.
    void add(const std::string& line);

    static constexpr std::size_t max_lines = 1000;

  private:
    std::string name_;
    Fd file_;
    std::vector<std::string> lines_;
};

} // namespace ipcbox::front
