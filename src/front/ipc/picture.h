// System V objects as a picture on a terminal, which is drawn again and again.
#pragma once

#include "front/ipc/rows.h"

#include <cstddef>
#include <string>
#include <vector>

namespace ipcbox::front {

// The lines of a terminal of ROWS by COLUMNS: a summary, titles, and the objects from FIRST on.
// Objects that processes wait for come first, then those that are in use, then the rest. Each line
// fits, and includes its colours.
[[nodiscard]] std::vector<std::string> picture_of(const std::vector<sysv::Entry>& entries,
                                                  UserNames& users, std::size_t first,
                                                  std::size_t rows, std::size_t columns);

// The bytes that turn the picture BEFORE into the picture NOW on a terminal. Only lines that differ
// are drawn.
[[nodiscard]] std::string redrawing(const std::vector<std::string>& before,
                                    const std::vector<std::string>& now);

} // namespace ipcbox::front
