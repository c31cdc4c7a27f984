// What a user who mistyped a name may have meant.
#pragma once

#include <cstddef>
#include <string_view>

namespace ipcbox {

// How many letters have to be changed, added, dropped or swapped with their neighbour to make one
// word the other (the optimal string alignment distance).
[[nodiscard]] std::size_t spelling_distance(std::string_view left, std::string_view right);

// Whether one word may stand for the other: at most a third of the letters are wrong.
[[nodiscard]] bool is_misspelling(std::string_view left, std::string_view right);

} // namespace ipcbox
