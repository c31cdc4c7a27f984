// The Time Protocol (RFC 868): the seconds since 1900 in 32 bits, the highest byte first. They wrap
// for the first time on 2036-02-07 at 06:28:16 UTC.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

namespace ipcbox::clocks {

constexpr std::size_t time_answer_size = 4;

// The time that SECONDS since 1900 mean in the era (RFC 5905, section 6) nearest to PIVOT. With our
// own clock as the pivot, this is right as long as our clock is off by less than 68 years.
[[nodiscard]] std::time_t in_nearest_era(std::uint32_t seconds, std::time_t pivot);

// The same for an answer's four bytes. Nothing for another number of bytes.
[[nodiscard]] std::optional<std::time_t> decode_time(std::string_view bytes, std::time_t pivot);

// A server's answer, without the era.
[[nodiscard]] std::array<char, time_answer_size> encode_time(std::time_t time);

} // namespace ipcbox::clocks
