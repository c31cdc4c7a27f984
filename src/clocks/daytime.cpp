#include "clocks/daytime.h"

#include "core/date.h"
#include "http/date_form.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/core.h>

namespace ipcbox::clocks {

namespace {

using namespace std::chrono;
using http::WrittenDate;

constexpr std::string_view nist_form = "%n %Y-%m-%d %T %n %n %n %n.%n UTC(%w) *";
constexpr std::array<std::string_view, 17> forms{
    "%a %b %d %T%P%Z %Y", "%a, %b %d, %Y %T-%z", "%d %b %Y %T%P%Z",     "%Y-%m-%dT%T%Z",
    "%Y-%m-%d %T%P%Z",    "%Y/%m/%d %T%P%Z",     "%a, %d %b %Y %T%P%Z", "%a %d %b %Y %T%P%Z",
    "%A, %d-%b-%Y %T%Z",  "%d.%m.%Y %T%P%Z",     "%T%P %d.%m.%Y",       "%T %p %m/%d/%Y",
    "%m/%d/%Y %T %p%Z",   "%b %d %Y %T%P%Z",     "%b %d, %Y %T%P%Z",    "%T%P%Z %d %b %Y",
    "%b %d %T%P %Y%Z",
};

// The last year that two digits can mean, because they mean one of the hundred years around
// THIS_YEAR.
year latest_year(year this_year) {
    return this_year + years{49};
}

// A time without a zone means the zone of this machine on that day. When summer time ends, the
// clock shows an hour twice. Then the time that is nearer to NOW counts.
std::time_t local_time(const year_month_day& date, seconds since_midnight, std::time_t now) {
    const hh_mm_ss clock{since_midnight};
    std::tm broken_down{};
    broken_down.tm_year = static_cast<int>(date.year()) - 1900;
    broken_down.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
    broken_down.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
    broken_down.tm_hour = static_cast<int>(clock.hours().count());
    broken_down.tm_min = static_cast<int>(clock.minutes().count());
    broken_down.tm_sec = static_cast<int>(clock.seconds().count());
    broken_down.tm_isdst = -1;
    std::tm twin{broken_down};
    const auto time = ::mktime(&broken_down);
    twin.tm_isdst = broken_down.tm_isdst > 0 ? 0 : 1;
    const auto twin_time = ::mktime(&twin);
    const bool comes_twice = twin.tm_isdst != broken_down.tm_isdst &&
                             twin.tm_hour == broken_down.tm_hour &&
                             twin.tm_min == broken_down.tm_min;
    return comes_twice && std::abs(twin_time - now) < std::abs(time - now) ? twin_time : time;
}

bool is_within_years(sys_days day) {
    const auto year = year_month_day{day}.year();
    return year >= std::chrono::year{first_year} && year <= std::chrono::year{last_year};
}

std::time_t since_epoch(sys_seconds time) {
    return time.time_since_epoch().count();
}

// A zone name can mean several zones. This is the most likely one.
minutes likeliest_zone(const std::vector<minutes>& zones, sys_seconds without_zone,
                       std::time_t now) {
    const auto distance = [&](minutes zone) {
        return abs(without_zone - zone - sys_seconds{seconds{now}});
    };
    const auto nearest = *std::ranges::min_element(zones, {}, distance);
    return distance(nearest) < days{1} ? nearest : zones.front();
}

std::optional<Daytime> parse_nist(std::string_view words) {
    auto date = http::parse_date(words, nist_form, http::Strictness::lenient);
    if (!date) return std::nullopt;
    constexpr sys_days julian_epoch = 1858y / November / 17;
    constexpr unsigned max_julian_day = 999'999;
    // The numbers in "60638 … 00 0 0 713.5": the day, summer time, leap second, health.
    const auto& numbers = date->numbers;
    if (numbers[0] > max_julian_day) return std::nullopt;
    const auto julian_day = julian_epoch + days{numbers[0]};
    const auto day = date->day_of(latest_year(year_month_day{julian_day}.year()));
    if (day != julian_day || !is_within_years(*day)) return std::nullopt;

    Daytime daytime{.time = since_epoch(*day + date->clock), .states_zone = true};
    daytime.resolution = date->resolution;
    daytime.leap = numbers[2] == 1 ? Leap::insert : numbers[2] == 2 ? Leap::remove : Leap::none;
    daytime.health = numbers[3];
    // Health 1 means an error of up to 5 s. All other values state no bound. So take an hour, which
    // is more than any limit of a check.
    if (daytime.health != 0U) daytime.doubt = daytime.health == 1U ? seconds{5} : hours{1};
    return daytime;
}

std::optional<Daytime> daytime_of(const WrittenDate& date, std::time_t now, ZonelessTime zoneless) {
    const auto this_year = year_month_day{floor<days>(wall_time(now))}.year();
    const auto day = date.day_of(latest_year(this_year));
    if (!day || !is_within_years(*day)) return std::nullopt;
    Daytime daytime{.states_zone = !date.zones.empty() || zoneless == ZonelessTime::is_utc};
    daytime.resolution = date.resolution;
    const sys_seconds without_zone = *day + date.clock;
    if (!daytime.states_zone) {
        daytime.time = local_time(*day, date.clock, now);
        return daytime;
    }
    const auto zone =
        date.zones.empty() ? minutes{0} : likeliest_zone(date.zones, without_zone, now);
    daytime.time = since_epoch(without_zone - zone);
    if (date.zones.size() > 1) daytime.guessed_zone = {date.zone_name, zone};
    return daytime;
}

} // namespace

std::string_view daytime_words(std::string_view answer) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = std::min(answer.find_first_not_of(blanks), answer.size());
    return answer.substr(begin, answer.find_last_not_of(blanks) + 1 - begin);
}

std::optional<Daytime> parse_daytime(std::string_view text, std::time_t now,
                                     ZonelessTime zoneless) {
    if (text.size() >= max_daytime_bytes) return std::nullopt;
    const auto words = daytime_words(text);
    if (auto daytime = parse_nist(words)) return daytime;
    for (const auto form : forms)
        if (const auto date = http::parse_date(words, form, http::Strictness::lenient))
            if (auto daytime = daytime_of(*date, now, zoneless)) return daytime;
    return std::nullopt;
}

std::string daytime_text(std::time_t time) {
    return date_text(time) + "\r\n";
}

std::string iso_time(std::time_t time) {
    std::tm utc{};
    if (::gmtime_r(&time, &utc) == nullptr) return "an unknown time"; // its year overflows an int
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900LL, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

} // namespace ipcbox::clocks
