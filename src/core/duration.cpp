#include "core/duration.h"

#include "core/number.h"
#include "core/process_info.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <fmt/core.h>

namespace ipcbox {

namespace {

// Removes the digits and dots at the front of TEXT, and returns them.
std::string_view take_number(std::string_view& text) {
    const auto number = text.substr(0, text.find_first_not_of("0123456789."));
    text.remove_prefix(number.size());
    return number;
}

// Removes the text before the next digit or dot, and returns it.
std::string_view take_unit(std::string_view& text) {
    const auto unit = text.substr(0, text.find_first_of("0123456789."));
    text.remove_prefix(unit.size());
    return unit;
}

struct Unit {
    std::string_view name;
    double seconds;
};
constexpr std::array units{Unit{"w", 604800}, Unit{"d", 86400}, Unit{"h", 3600}, Unit{"m", 60},
                           Unit{"s", 1},      Unit{"ms", 1e-3}, Unit{"us", 1e-6}};

// The seconds in "10", "1.5h", "1e3" or "inf"; nothing for any other TEXT.
std::optional<double> seconds_of_one_number(const std::string& text) {
    if (text.empty() || text.find_first_of("+- \t\n\v\f\r") == 0) return std::nullopt;
    char* end = nullptr;
    errno = 0;
    double number = std::strtod(text.c_str(), &end);
    if (errno == ERANGE) number = std::max(number, DBL_MIN); // 1e-400 is a limit, and not none
    const std::string_view name = end == text.c_str() ? "?" : end;
    const auto* const unit = std::ranges::find(units, name.empty() ? "s" : name, &Unit::name);
    if (unit == units.end() || std::isnan(number)) return std::nullopt;
    return number * unit->seconds;
}

// The seconds in "10", "1.5h" or "1h30m"; nothing for any other TEXT.
std::optional<double> parse_seconds(std::string_view text) {
    if (const auto seconds = seconds_of_one_number(std::string{text})) return seconds;
    if (text.empty()) return std::nullopt;
    double seconds = 0;
    for (auto smaller = units.begin(); !text.empty();) {
        const auto number = whole_decimal(take_number(text));
        const auto unit = std::ranges::find(smaller, units.end(), take_unit(text), &Unit::name);
        if (!number || unit == units.end()) return std::nullopt;
        seconds += *number * unit->seconds;
        smaller = std::next(unit);
    }
    return seconds;
}

} // namespace

std::optional<Duration> duration_in(std::string_view text) {
    const auto seconds = parse_seconds(text);
    if (!seconds) return std::nullopt;
    // Keep a tiny duration above 0, because 0 means "no limit" in many places.
    const double nanoseconds =
        *seconds > 0 ? std::max(std::round(*seconds * 1e9), 1.0) : *seconds * 1e9;
    // A time longer than a Duration can hold counts as for ever.
    if (nanoseconds >= static_cast<double>(Duration::max().count())) return Duration::max();
    return Duration{static_cast<Duration::rep>(nanoseconds)};
}

std::string rounded_duration(Duration duration) {
    using namespace std::chrono_literals;
    if (duration < 10s) return fmt::format("{:.1f}s", in_seconds(duration));
    return short_duration(std::chrono::duration_cast<std::chrono::seconds>(duration));
}

} // namespace ipcbox
