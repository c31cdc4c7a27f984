#include "http/date.h"

#include "core/ascii.h"
#include "core/calendar.h"
#include "core/number.h"
#include "http/date_form.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

namespace ipcbox::http {

namespace {

using namespace std::chrono;

constexpr std::time_t since_epoch(sys_seconds time) {
    return time.time_since_epoch().count();
}

constexpr std::time_t first_second = since_epoch(sys_days{January / 1 / 0});
constexpr std::time_t last_second = since_epoch(sys_days{January / 1 / 10000}) - 1;

// RFC 9110's three forms: its own, that of RFC 850, and that of asctime(3).
constexpr std::array<std::string_view, 3> forms{
    "%a, %d %b %Y %T GMT",
    "%A, %d-%b-%y %T GMT",
    "%a %b %e %T %Y",
};

} // namespace

std::string http_date(std::time_t time) {
    const sys_seconds moment{seconds{std::clamp(time, first_second, last_second)}};
    const auto today = floor<std::chrono::days>(moment);
    const year_month_day date{today};
    const hh_mm_ss clock{moment - today};
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        calendar::abbreviated(calendar::weekdays[weekday{today}.c_encoding()]),
        static_cast<unsigned>(date.day()),
        calendar::abbreviated(calendar::months[static_cast<unsigned>(date.month()) - 1]),
        static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
        clock.seconds().count());
}

std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now) {
    const sys_seconds moment{seconds{std::clamp(now, first_second, last_second)}};
    constexpr years ahead{50};
    const auto latest = year_month_day{floor<days>(moment)}.year() + ahead;
    for (const auto form : forms)
        if (const auto date = parse_date(text, form, Strictness::exact)) {
            const auto day = date->day_of(latest);
            return day ? std::optional{since_epoch(*day + date->clock)} : std::nullopt;
        }
    return std::nullopt;
}

std::optional<Duration> parse_retry_after(std::string_view text, std::time_t now) {
    constexpr std::time_t max_wait = duration_cast<seconds>(Duration::max()).count();
    const bool is_number = !text.empty() && std::ranges::all_of(text, ascii::is_digit);
    const auto date = parse_http_date(text, now);
    if (!is_number && !date) return std::nullopt;
    const auto wait = is_number ? whole_number<std::time_t>(text).value_or(max_wait)
                                : std::max<std::time_t>(*date - now, 0);
    return wait >= max_wait ? Duration::max() : Duration{seconds{wait}};
}

} // namespace ipcbox::http
