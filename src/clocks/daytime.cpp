#include "clocks/daytime.h"

#include "clocks/reading.h"
#include "core/ascii.h"
#include "core/calendar.h"
#include "core/date.h"
#include "core/number.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/core.h>

namespace ipcbox::clocks {

namespace {

using namespace std::chrono;

// In the manner of strptime(3):
//     %a %b     the name of a weekday, of a month, whole or abbreviated
//     %d %m     a day, a month, of one or two digits
//     %Y        a year of four digits or two
//     %T        02:55:01, 2:55:01, 02:55:01.123 or 02:55; %p makes it one of twelve hours
//     %z        a zone; %Z: or none, and blanks before it
//     %J        a modified Julian day, with which UTC is meant
//     %n %w     any number, any word
// A blank is one or more; all else stands for itself.
constexpr std::array<std::string_view, 8> forms{
    "%J %Y-%m-%d %T %n %n %n %n.%n UTC(%w) *",
    "%a %b %d %T%Z %Y",
    "%a, %b %d, %Y %T-%z",
    "%d %b %Y %T%Z",
    "%Y-%m-%dT%T%Z",
    "%Y-%m-%d %T%Z",
    "%a, %d %b %Y %T%Z",
    "%T %p %m/%d/%Y",
};

struct Zone {
    std::string_view name;
    int hours; // ahead of UTC
};
constexpr Zone zones[] = {
    {"UTC", 0},  {"GMT", 0},  {"UT", 0},   {"Z", 0},    {"EST", -5}, {"EDT", -4},
    {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7},
    {"WET", 0},  {"WEST", 1}, {"BST", 1},  {"CET", 1},  {"CEST", 2}, {"MET", 1},
    {"MEST", 2}, {"EET", 2},  {"EEST", 3}, {"MSK", 3},  {"JST", 9},
};

constexpr sys_days julian_epoch = 1858y / November / 17;

// Takes a text apart from its front as a form has it.
class Reader {
  public:
    Reader(std::string_view text, year now) : left_(text), now_(now) {}

    [[nodiscard]] bool matches(std::string_view form) {
        for (std::size_t at = 0; at < form.size(); ++at) {
            const bool found = form[at] == '%' ? field(form[++at]) : literal(form[at]);
            if (!found) return false;
        }
        return left_.empty();
    }

    [[nodiscard]] std::optional<Daytime> result() const {
        const auto number =
            year_of(year_, julian_day_ ? year_month_day{*julian_day_}.year() : now_);
        const year_month_day date{number, month{month_}, day{day_}};
        if (!date.ok() || number < year{first_year} || number > year{last_year}) return {};
        if (julian_day_ && *julian_day_ != sys_days{date}) return {};
        Daytime daytime{.states_zone = zone_.has_value(), .resolution = resolution_};
        daytime.time = zone_ ? (sys_days{date} + clock_ - *zone_).time_since_epoch().count()
                             : local_time(date);
        return daytime;
    }

  private:
    bool field(char code) {
        switch (code) {
        case 'a':
            return name(calendar::weekdays).has_value();
        case 'b':
            return month_name();
        case 'd':
            return number(day_, 1, 2);
        case 'm':
            return number(month_, 1, 2);
        case 'Y':
            return year_number();
        case 'T':
            return time_of_day();
        case 'p':
            return half_of_day();
        case 'z':
            return zone();
        case 'Z':
            return zone_or_none();
        case 'J':
            return julian_day();
        case 'n':
            return !take(ascii::is_digit).empty();
        case 'w':
            return !take(ascii::is_letter).empty();
        default:
            return false;
        }
    }

    bool literal(char expected) {
        if (expected == ' ') return !take(is_blank).empty();
        if (!left_.starts_with(expected)) return false;
        left_.remove_prefix(1);
        return true;
    }

    static bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

    std::string_view take(bool (*belongs)(char)) {
        const auto* const end = std::ranges::find_if_not(left_, belongs);
        const auto taken = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
        left_.remove_prefix(taken.size());
        return taken;
    }

    bool number(unsigned& value, std::size_t least, std::size_t most) {
        const auto digits = take(ascii::is_digit);
        if (digits.size() < least || digits.size() > most) return false;
        value = whole_number<unsigned>(digits).value_or(0);
        return true;
    }

    template <class Names> std::optional<unsigned> name(const Names& names) {
        const auto word = take(ascii::is_letter);
        const auto* const found = std::ranges::find_if(names, [word](std::string_view known) {
            return ascii::same_but_for_case(word, known) ||
                   ascii::same_but_for_case(word, calendar::abbreviated(known));
        });
        if (found == names.end()) return std::nullopt;
        return static_cast<unsigned>(found - names.begin());
    }

    bool month_name() {
        const auto found = name(calendar::months);
        month_ = found.value_or(0) + 1;
        return found.has_value();
    }

    bool year_number() {
        const auto before = left_.size();
        unsigned value = 0;
        if (!number(value, 2, 4) || before - left_.size() == 3) return false;
        year_ = {.value = value, .is_short = before - left_.size() == 2};
        return true;
    }

    bool time_of_day() {
        unsigned minute = 0;
        unsigned second = 0;
        if (!number(hour_, 1, 2) || !literal(':') || !number(minute, 2, 2)) return false;
        resolution_ = minutes{1};
        if (literal(':')) {
            if (!number(second, 2, 2)) return false;
            resolution_ = seconds{1};
            if (left_.starts_with('.')) { // what is smaller than a second is not told
                left_.remove_prefix(1);
                if (take(ascii::is_digit).empty()) return false;
            }
        }
        constexpr unsigned leap_second = 60;
        clock_ = hours{hour_} + minutes{minute} + seconds{second};
        return hour_ < 24 && minute < 60 && second <= leap_second;
    }

    // Midnight and noon are 12 (AM, PM).
    bool half_of_day() {
        const auto half = take(ascii::is_letter);
        const bool is_morning = ascii::same_but_for_case(half, "AM");
        if (!is_morning && !ascii::same_but_for_case(half, "PM")) return false;
        if (hour_ < 1 || hour_ > 12) return false;
        if (hour_ == 12) clock_ -= hours{12};
        if (!is_morning) clock_ += hours{12};
        return true;
    }

    // "CET", "+0100", "+01:00", "+01"
    bool zone() {
        if (const bool is_behind = left_.starts_with('-'); is_behind || left_.starts_with('+')) {
            left_.remove_prefix(1);
            return zone_difference(is_behind ? -1 : 1);
        }
        const auto word = take(ascii::is_letter);
        const auto* const found = std::ranges::find_if(zones, [word](const Zone& known) {
            return ascii::same_but_for_case(word, known.name);
        });
        if (found == std::end(zones)) return false;
        zone_ = hours{found->hours};
        return true;
    }

    bool zone_difference(int sign) {
        const auto before = left_.size();
        unsigned value = 0;
        unsigned minute = 0;
        if (!number(value, 2, 4)) return false;
        const auto digits = before - left_.size();
        if (digits == 2 && literal(':')) {
            if (!number(minute, 2, 2)) return false;
        } else if (digits == 4) {
            minute = value % 100;
            value /= 100;
        } else if (digits != 2) {
            return false;
        }
        constexpr unsigned farthest = 14; // the Line Islands
        zone_ = sign * (hours{value} + minutes{minute});
        return value <= farthest && minute < 60;
    }

    bool zone_or_none() {
        const auto before = left_;
        take(is_blank);
        const bool is_zone =
            !left_.empty() && (ascii::is_letter(left_[0]) || left_[0] == '+' || left_[0] == '-');
        if (is_zone) return zone();
        left_ = before;
        return true;
    }

    bool julian_day() {
        unsigned value = 0;
        if (!number(value, 5, 5)) return false;
        julian_day_ = julian_epoch + std::chrono::days{value};
        zone_ = minutes{0};
        return true;
    }

    struct Year {
        unsigned value = 0;
        bool is_short = false;
    };

    // Of two digits, the one of the hundred years around PIVOT.
    static year year_of(Year written, year pivot) {
        const int value = static_cast<int>(written.value);
        if (!written.is_short) return year{value};
        const int first = static_cast<int>(pivot) - 50;
        return year{first + ((value - first) % 100 + 100) % 100};
    }

    [[nodiscard]] std::time_t local_time(const year_month_day& date) const {
        const hh_mm_ss clock{clock_};
        std::tm broken_down{};
        broken_down.tm_year = static_cast<int>(date.year()) - 1900;
        broken_down.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
        broken_down.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
        broken_down.tm_hour = static_cast<int>(clock.hours().count());
        broken_down.tm_min = static_cast<int>(clock.minutes().count());
        broken_down.tm_sec = static_cast<int>(clock.seconds().count());
        broken_down.tm_isdst = -1; // whatever holds on that day
        return ::mktime(&broken_down);
    }

    std::string_view left_;
    year now_;
    Year year_{};
    unsigned month_ = 0;
    unsigned day_ = 0;
    unsigned hour_ = 0;
    seconds clock_{};
    Duration resolution_{};
    std::optional<minutes> zone_;
    std::optional<sys_days> julian_day_;
};

} // namespace

std::string_view daytime_words(std::string_view answer) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = std::min(answer.find_first_not_of(blanks), answer.size());
    return answer.substr(begin, answer.find_last_not_of(blanks) + 1 - begin);
}

std::optional<Daytime> parse_daytime(std::string_view text, std::time_t now) {
    if (text.size() >= most_daytime_bytes) return std::nullopt;
    const year_month_day today{floor<days>(wall_time(now))};
    for (const auto form : forms) {
        Reader reader{daytime_words(text), today.year()};
        if (!reader.matches(form)) continue;
        if (const auto daytime = reader.result()) return daytime;
    }
    return std::nullopt;
}

std::string daytime_text(std::time_t time) {
    return date_text(time) + "\r\n";
}

std::string iso_time(std::time_t time) {
    std::tm utc{};
    if (::gmtime_r(&time, &utc) == nullptr) return "an unknown time"; // its year has no int
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900LL, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

} // namespace ipcbox::clocks
