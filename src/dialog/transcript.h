// What several parties say to each other, line by line, with the time of each:
//
//     0.000213 1> question
//     0.000391 2> answer
//
// The time is in seconds since the start. A line that is longer than 64 KiB, or ends without a line
// feed, is written as pieces; "+" instead of ">" says that a piece is not the whole line.
#pragma once

#include "core/deadline.h"

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::dialog {

class Transcript {
  public:
    explicit Transcript(std::size_t parties) : begun_(parties) {}

    // The lines that BYTES of PARTY, counted from 0, complete.
    [[nodiscard]] std::string say(std::size_t party, std::string_view bytes);
    // The lines that were begun.
    [[nodiscard]] std::string finish();

  private:
    [[nodiscard]] std::string line(std::size_t party, char mark, std::string_view text) const;

    Deadline::Clock::time_point start_ = Deadline::Clock::now();
    std::vector<std::string> begun_;
};

} // namespace ipcbox::dialog
