// The names of days and months in protocols, in any locale.
#pragma once

#include <array>
#include <string_view>

namespace ipcbox::calendar {

// By std::chrono::weekday's c_encoding().
inline constexpr std::array<std::string_view, 7> weekdays{
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

// January is 0 here.
inline constexpr std::array<std::string_view, 12> months{
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

// "Sun", "Jan"
[[nodiscard]] constexpr std::string_view abbreviated(std::string_view name) {
    return name.substr(0, 3);
}

} // namespace ipcbox::calendar
