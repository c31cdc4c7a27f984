// Which clocks to trust when they differ: the selection of RFC 5905, section 11.2.1 (Marzullo's
// algorithm). Each reading is an interval. The largest group whose intervals have a point in common
// is right; the others are falsetickers.
#pragma once

#include "clocks/reading.h"

#include <cstddef>
#include <span>
#include <vector>

namespace ipcbox::clocks {

struct Agreement {
    std::vector<std::size_t> members;      // positions of readings, ascending
    std::vector<std::size_t> falsetickers; // the others, ascending
    Duration offset{};                     // the middle of the interval that all members allow
    Duration error{};
    // Whether more than half agree. Otherwise nobody can say which clocks are right.
    [[nodiscard]] bool is_majority() const { return members.size() > falsetickers.size(); }
};

// Of several groups of the same size, returns the one with the smallest common interval. Without
// readings, there are no members.
[[nodiscard]] Agreement find_agreement(std::span<const Reading> readings);

} // namespace ipcbox::clocks
