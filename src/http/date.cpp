#include "http/date.h"

#include "core/ascii.h"
#include "core/calendar.h"
#include "core/number.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::http {

namespace {

using namespace std::chrono;

constexpr std::time_t since_epoch(sys_seconds time) {
    return time.time_since_epoch().count();
}

constexpr std::time_t first_second = since_epoch(sys_days{January / 1 / 0});
constexpr std::time_t last_second = since_epoch(sys_days{January / 1 / 10000}) - 1;

// Takes a date apart from its front. What does not fit makes it fail, which is asked at the end.
class Reader {
  public:
    explicit Reader(std::string_view text) : left_(text) {}

    void literal(std::string_view expected) {
        if (take(expected.size()) != expected) failed_ = true;
    }

    // COUNT digits; with PAD, a space may stand for the first.
    enum class Pad { zero, space };
    int number(std::size_t count, Pad pad = Pad::zero) {
        auto digits = take(count);
        if (pad == Pad::space && digits.starts_with(' ')) digits.remove_prefix(1);
        const bool is_number = std::ranges::all_of(digits, ascii::is_digit); // a sign is none
        const auto value = whole_number<int>(digits);
        if (!value || !is_number) failed_ = true;
        return value.value_or(0);
    }

    unsigned month() {
        constexpr auto& months = calendar::months;
        constexpr std::size_t size = calendar::abbreviated(months[0]).size();
        const auto* const found = std::ranges::find(months, take(size), calendar::abbreviated);
        if (found == months.end()) failed_ = true;
        return static_cast<unsigned>(found - months.begin()) + 1;
    }

    // "Sun" or "Sunday"
    enum class Name { abbreviated, whole };
    void weekday(Name form) {
        const auto name = left_.substr(0, left_.find_first_of(", "));
        const auto same = [&](std::string_view day) {
            return name == (form == Name::whole ? day : calendar::abbreviated(day));
        };
        if (std::ranges::none_of(calendar::weekdays, same)) failed_ = true;
        (void)take(name.size());
    }

    // "08:49:37"
    seconds time_of_day() {
        const int hour = number(2);
        literal(":");
        const int minute = number(2);
        literal(":");
        const int second = number(2);
        constexpr int leap_second = 60;
        if (hour > 23 || minute > 59 || second > leap_second) failed_ = true;
        return hours{hour} + minutes{minute} + seconds{second};
    }

    [[nodiscard]] std::optional<std::time_t> result(year_month_day date, seconds time) const {
        if (failed_ || !left_.empty() || !date.ok()) return std::nullopt;
        return since_epoch(sys_days{date} + time);
    }

  private:
    std::string_view take(std::size_t size) {
        const auto taken = left_.substr(0, size);
        if (taken.size() < size) failed_ = true;
        left_.remove_prefix(taken.size());
        return taken;
    }

    std::string_view left_;
    bool failed_ = false;
};

year_month_day date_of(int year_number, unsigned month_number, int day_number) {
    return {year{year_number}, month{month_number}, day{static_cast<unsigned>(day_number)}};
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::time_t> parse_fixed(std::string_view text) {
    Reader reader{text};
    reader.weekday(Reader::Name::abbreviated);
    reader.literal(", ");
    const int day_number = reader.number(2);
    reader.literal(" ");
    const unsigned month_number = reader.month();
    reader.literal(" ");
    const int year_number = reader.number(4);
    reader.literal(" ");
    const auto time = reader.time_of_day();
    reader.literal(" GMT");
    return reader.result(date_of(year_number, month_number, day_number), time);
}

// "Sunday, 06-Nov-94 08:49:37 GMT", in the last of the years with these digits that is not more
// than 50 years ahead.
std::optional<std::time_t> parse_rfc850(std::string_view text, std::time_t now) {
    Reader reader{text};
    reader.weekday(Reader::Name::whole);
    reader.literal(", ");
    const int day_number = reader.number(2);
    reader.literal("-");
    const unsigned month_number = reader.month();
    reader.literal("-");
    const int digits = reader.number(2);
    reader.literal(" ");
    const auto time = reader.time_of_day();
    reader.literal(" GMT");
    const auto clamped = std::clamp(now, first_second, last_second);
    const auto today = floor<std::chrono::days>(sys_seconds{seconds{clamped}});
    constexpr int ahead = 50;
    constexpr int century = 100;
    const int latest = static_cast<int>(year_month_day{today}.year()) + ahead;
    const int year_number = latest - (latest - digits) % century;
    return reader.result(date_of(year_number, month_number, day_number), time);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<std::time_t> parse_asctime(std::string_view text) {
    Reader reader{text};
    reader.weekday(Reader::Name::abbreviated);
    reader.literal(" ");
    const unsigned month_number = reader.month();
    reader.literal(" ");
    const int day_number = reader.number(2, Reader::Pad::space);
    reader.literal(" ");
    const auto time = reader.time_of_day();
    reader.literal(" ");
    const int year_number = reader.number(4);
    return reader.result(date_of(year_number, month_number, day_number), time);
}

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
    if (const auto time = parse_fixed(text)) return time;
    if (const auto time = parse_rfc850(text, now)) return time;
    return parse_asctime(text);
}

std::optional<Duration> parse_retry_after(std::string_view text, std::time_t now) {
    constexpr std::time_t most = duration_cast<seconds>(Duration::max()).count();
    const bool is_number = !text.empty() && std::ranges::all_of(text, ascii::is_digit);
    const auto date = parse_http_date(text, now);
    if (!is_number && !date) return std::nullopt;
    const auto wait = is_number ? whole_number<std::time_t>(text).value_or(most)
                                : std::max<std::time_t>(*date - now, 0);
    return wait >= most ? Duration::max() : Duration{seconds{wait}};
}

} // namespace ipcbox::http
