// Which clocks to believe when they say different things: the selection of RFC 5905, section 11.2.1
// (Marzullo's algorithm). Each reading is an interval; the largest group whose intervals have a
// point in common is right, the others are falsetickers.
#pragma once

#include "clocks/reading.h"

#include <cstddef>
#include <span>
#include <vector>

namespace ipcbox::clocks {

struct Agreement {
    std::vector<std::size_t> members;      // by their number among the readings, ascending
    std::vector<std::size_t> falsetickers; // the others, ascending
    Duration offset{};                     // the middle of what all members allow
    Duration error{};
    // More than half agree; else nobody can say which clocks are right.
    [[nodiscard]] bool is_majority() const { return members.size() > falsetickers.size(); }
};

// Of several groups of one size the one whose common interval is smallest. None agree when there
// are none.
[[nodiscard]] Agreement find_agreement(std::span<const Reading> readings);

} // namespace ipcbox::clocks
