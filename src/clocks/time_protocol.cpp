#include "clocks/time_protocol.h"

namespace ipcbox::clocks {

namespace {

// From the beginning of 1900 to that of 1970 (RFC 868).
constexpr std::time_t epoch = 2'208'988'800;

std::uint32_t since_1900(std::time_t time) {
    return static_cast<std::uint32_t>(time + epoch);
}

} // namespace

std::time_t in_nearest_era(std::uint32_t seconds, std::time_t pivot) {
    return pivot + static_cast<std::int32_t>(seconds - since_1900(pivot));
}

std::optional<std::time_t> decode_time(std::string_view bytes, std::time_t pivot) {
    if (bytes.size() != time_answer_size) return std::nullopt;
    std::uint32_t seconds = 0;
    for (const char byte : bytes)
        seconds = seconds << 8 | static_cast<unsigned char>(byte);
    return in_nearest_era(seconds, pivot);
}

std::array<char, time_answer_size> encode_time(std::time_t time) {
    const auto seconds = since_1900(time);
    return {static_cast<char>(seconds >> 24), static_cast<char>(seconds >> 16),
            static_cast<char>(seconds >> 8), static_cast<char>(seconds)};
}

} // namespace ipcbox::clocks
