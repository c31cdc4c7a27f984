#include "cookies/date.h"

#include "core/ascii.h"
#include "core/calendar.h"
#include "core/number.h"

#include <algorithm>
#include <chrono>

namespace ipcbox::cookies {

namespace {

using namespace std::chrono;

bool is_delimiter(char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return code == '\t' || (code >= 0x20 && code <= 0x2f) || (code >= 0x3b && code <= 0x40) ||
           (code >= 0x5b && code <= 0x60) || (code >= 0x7b && code <= 0x7e);
}

// Removes and returns the number at the start of TEXT. It must have MIN to MAX digits, and no digit
// may follow.
std::optional<int> take_number(std::string_view& text, std::size_t min, std::size_t max) {
    const auto size =
        static_cast<std::size_t>(std::ranges::find_if_not(text, ascii::is_digit) - text.begin());
    if (size < min || size > max) return std::nullopt;
    const auto number = whole_number<int>(text.substr(0, size));
    text.remove_prefix(size);
    return number;
}

std::optional<seconds> time_of(std::string_view token) {
    const auto hour = take_number(token, 1, 2);
    if (!hour || !token.starts_with(':')) return std::nullopt;
    token.remove_prefix(1);
    const auto minute = take_number(token, 1, 2);
    if (!minute || !token.starts_with(':')) return std::nullopt;
    token.remove_prefix(1);
    const auto second = take_number(token, 1, 2);
    if (!second) return std::nullopt;
    return hours{*hour} + minutes{*minute} + seconds{*second};
}

std::optional<unsigned> month_of(std::string_view token) {
    const auto& months = calendar::months;
    const auto* const found = std::ranges::find_if(months, [token](std::string_view name) {
        const auto wanted = calendar::abbreviated(name);
        return ascii::same_but_for_case(token.substr(0, wanted.size()), wanted);
    });
    if (found == months.end()) return std::nullopt;
    return static_cast<unsigned>(found - months.begin()) + 1;
}

} // namespace

std::optional<std::time_t> parse_date(std::string_view text) {
    std::optional<seconds> time;
    std::optional<int> day_number;
    std::optional<unsigned> month_number;
    std::optional<int> year_number;
    while (!text.empty()) {
        const auto begin = std::ranges::find_if_not(text, is_delimiter) - text.begin();
        text.remove_prefix(static_cast<std::size_t>(begin));
        const auto end = std::ranges::find_if(text, is_delimiter) - text.begin();
        auto token = text.substr(0, static_cast<std::size_t>(end));
        text.remove_prefix(token.size());
        if (!time && (time = time_of(token))) continue;
        auto rest = token;
        if (!day_number && (day_number = take_number(rest, 1, 2))) continue;
        if (!month_number && (month_number = month_of(token))) continue;
        rest = token;
        if (!year_number) year_number = take_number(rest, 2, 4);
    }
    if (!time || !day_number || !month_number || !year_number) return std::nullopt;
    if (*year_number < 100) *year_number += *year_number < 70 ? 2000 : 1900;
    const year_month_day date{year{*year_number}, month{*month_number},
                              day{static_cast<unsigned>(*day_number)}};
    constexpr int first_year = 1601;
    if (!date.ok() || *year_number < first_year || *time >= 24h + 60s) return std::nullopt;
    return (sys_days{date} + *time).time_since_epoch().count();
}

} // namespace ipcbox::cookies
