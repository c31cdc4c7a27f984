// The lines that several parties say to each other, with the time of each:
//
//     0.000213 1> question
//     0.000391 2> answer
//
// The time is in seconds since the start. A line that is longer than 64 KiB, or has no line feed,
// is written in pieces; "+" instead of ">" means that a piece is not a whole line.
#pragma once

#include "core/deadline.h"

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::dialog {

class Transcript {
  public:
    explicit Transcript(std::size_t parties) : begun_(parties) {}

    // The lines that BYTES complete. PARTY is the sender, counted from 0.
    [[nodiscard]] std::string say(std::size_t party, std::string_view bytes);
    // The lines that were begun.
    [[nodiscard]] std::string finish();

  private:
    [[nodiscard]] std::string line(std::size_t party, char mark, std::string_view text) const;

    Deadline::Clock::time_point start_ = Deadline::Clock::now();
    std::vector<std::string> begun_;
};

} // namespace ipcbox::dialog
