// Wall-clock time in words.
#pragma once

#include <ctime>
#include <string>

namespace ipcbox {

// "Thu May 14 08:40:46 1997", local time, as ctime(3) has it but without its line feed.
[[nodiscard]] std::string date_text(std::time_t time);

} // namespace ipcbox
