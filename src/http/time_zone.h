// The names of time zones, as dates in text have them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace ipcbox::http {

// A name from RFC 5322 or the time zone database, with each meaning that it has there. The meaning
// in RFC 5322 or in Europe comes first.
struct TimeZone {
    std::string_view name;
    std::array<std::chrono::minutes, 3> ahead; // of UTC
    std::size_t meanings = 1;
};

// The zone of that name, in any case; null when we do not know it.
[[nodiscard]] const TimeZone* find_time_zone(std::string_view name);

} // namespace ipcbox::http
