// Finding the name that a user may have meant who mistyped it.
#pragma once

#include <cstddef>
#include <string_view>

namespace ipcbox {

// How many letters have to be changed, added, dropped or swapped with their neighbour to turn one
// word into the other (the optimal string alignment distance).
[[nodiscard]] std::size_t spelling_distance(std::string_view left, std::string_view right);

// Whether one word may stand for the other: at most a third of the letters are wrong.
[[nodiscard]] bool is_misspelling(std::string_view left, std::string_view right);

} // namespace ipcbox
