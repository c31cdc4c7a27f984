#include "http/date_form.h"

#include "core/ascii.h"
#include "core/calendar.h"
#include "core/number.h"
#include "http/time_zone.h"

#include <algorithm>
#include <limits>

namespace ipcbox::http {

namespace {

using namespace std::chrono;

bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

// Parses a text from its front according to a form.
class Reader {
  public:
    Reader(std::string_view text, Strictness strictness)
        : left_(text), is_exact_(strictness == Strictness::exact) {}

    [[nodiscard]] bool matches(std::string_view form) {
        for (std::size_t at = 0; at < form.size(); ++at) {
            const bool is_field = form[at] == '%' && at + 1 < form.size();
            if (is_field ? !field(form[++at]) : !literal(form[at])) return false;
        }
        return left_.empty();
    }
    [[nodiscard]] WrittenDate& date() { return date_; }

  private:
    bool field(char code) {
        switch (code) {
        case 'a':
            return name(calendar::weekdays, Name::abbreviated).has_value();
        case 'A':
            return name(calendar::weekdays, Name::whole).has_value();
        case 'b':
            return month_name();
        case 'd':
            return number(date_.day, is_exact_ ? 2 : 1, 2);
        case 'e':
            return left_.starts_with(' ') ? literal(' ') && number(date_.day, 1, 1)
                                          : number(date_.day, 2, 2);
        case 'm':
            return number(date_.month, is_exact_ ? 2 : 1, 2);
        case 'Y':
            return year_number();
        case 'y':
            date_.is_year_short = true;
            return number(date_.year, 2, 2);
        case 'T':
            return time_of_day();
        case 'p':
            return half_of_day();
        case 'P':
            return half_of_day_or_none();
        case 'z':
            return zone();
        case 'Z':
            return zone_or_none();
        case 'n':
            date_.numbers.push_back(0);
            return number(date_.numbers.back(), 1, std::string_view::npos);
        case 'w':
            return !take(ascii::is_letter).empty();
        default:
            return false;
        }
    }

    bool literal(char expected) {
        if (expected == ' ' && !is_exact_) return !take(is_blank).empty();
        if (!left_.starts_with(expected)) return false;
        left_.remove_prefix(1);
        return true;
    }

    std::string_view take(bool (*belongs)(char)) {
        const auto* const end = std::ranges::find_if_not(left_, belongs);
        const auto taken = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
        left_.remove_prefix(taken.size());
        return taken;
    }

    bool number(unsigned& value, std::size_t min_digits, std::size_t max_digits) {
        const auto digits = take(ascii::is_digit);
        if (digits.size() < min_digits || digits.size() > max_digits) return false;
        value = whole_number<unsigned>(digits).value_or(std::numeric_limits<unsigned>::max());
        return true;
    }

    enum class Name { abbreviated, whole };
    template <class Names> std::optional<unsigned> name(const Names& names, Name expected) {
        const auto word = take(ascii::is_letter);
        const auto* const found = std::ranges::find_if(names, [&](std::string_view known) {
            const auto short_name = calendar::abbreviated(known);
            if (is_exact_) return word == (expected == Name::whole ? known : short_name);
            return ascii::same_but_for_case(word, known) ||
                   ascii::same_but_for_case(word, short_name);
        });
        if (found == names.end()) return std::nullopt;
        return static_cast<unsigned>(found - names.begin());
    }

    bool month_name() {
        const auto found = name(calendar::months, Name::abbreviated);
        date_.month = found.value_or(0) + 1;
        return found.has_value();
    }

    bool year_number() {
        const auto before = left_.size();
        if (!number(date_.year, is_exact_ ? 4 : 2, 4)) return false;
        const auto digits = before - left_.size();
        date_.is_year_short = digits == 2;
        return digits != 3;
    }

    bool time_of_day() {
        unsigned minute = 0;
        unsigned second = 0;
        if (!number(hour_, is_exact_ ? 2 : 1, 2) || !literal(':') || !number(minute, 2, 2))
            return false;
        date_.resolution = minutes{1};
        if (is_exact_ || left_.starts_with(':')) {
            if (!literal(':') || !number(second, 2, 2)) return false;
            date_.resolution = seconds{1};
            if (!is_exact_ && left_.starts_with('.')) { // ignore fractions of a second
                left_.remove_prefix(1);
                if (take(ascii::is_digit).empty()) return false;
            }
        }
        constexpr unsigned leap_second = 60;
        date_.clock = hours{hour_} + minutes{minute} + seconds{second};
        return hour_ < 24 && minute < 60 && second <= leap_second;
    }

    // Midnight and noon are 12 (AM, PM).
    bool half_of_day() {
        const auto half = take(ascii::is_letter);
        const bool is_morning = ascii::same_but_for_case(half, "AM");
        if (!is_morning && !ascii::same_but_for_case(half, "PM")) return false;
        if (hour_ < 1 || hour_ > 12) return false;
        if (hour_ == 12) date_.clock -= hours{12};
        if (!is_morning) date_.clock += hours{12};
        return true;
    }

    bool half_of_day_or_none() {
        const auto before = left_;
        take(is_blank);
        const auto blanks_behind = left_;
        const auto word = take(ascii::is_letter);
        const bool is_half =
            ascii::same_but_for_case(word, "AM") || ascii::same_but_for_case(word, "PM");
        left_ = is_half ? blanks_behind : before;
        return !is_half || half_of_day();
    }

    // "CET", "+0100", "+01:00", "+01"
    bool zone() {
        if (const bool is_behind = left_.starts_with('-'); is_behind || left_.starts_with('+')) {
            left_.remove_prefix(1);
            return zone_difference(is_behind ? -1 : 1);
        }
        const auto* const found = find_time_zone(take(ascii::is_letter));
        if (found == nullptr) return false;
        date_.zones.assign(found->ahead.begin(), found->ahead.begin() + found->meanings);
        date_.zone_name = found->name;
        return true;
    }

    bool zone_difference(int sign) {
        const auto before = left_.size();
        unsigned hour = 0;
        unsigned minute = 0;
        if (!number(hour, 2, 4)) return false;
        const auto digits = before - left_.size();
        if (digits == 2 && left_.starts_with(':')) {
            left_.remove_prefix(1);
            if (!number(minute, 2, 2)) return false;
        } else if (digits == 4) {
            minute = hour % 100;
            hour /= 100;
        } else if (digits != 2) {
            return false;
        }
        constexpr unsigned farthest = 14; // the Line Islands
        date_.zones = {sign * (hours{hour} + minutes{minute})};
        return hour <= farthest && minute < 60;
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

    std::string_view left_;
    bool is_exact_;
    unsigned hour_ = 0;
    WrittenDate date_;
};

} // namespace

std::optional<sys_days> WrittenDate::day_of(std::chrono::year latest) const {
    int number = static_cast<int>(year);
    if (is_year_short) {
        constexpr int century = 100;
        const int last = static_cast<int>(latest);
        number = last - ((last - number) % century + century) % century;
    }
    const year_month_day date{std::chrono::year{number}, std::chrono::month{month},
                              std::chrono::day{day}};
    if (!date.ok()) return std::nullopt;
    return sys_days{date};
}

std::optional<WrittenDate> parse_date(std::string_view text, std::string_view form,
                                      Strictness strictness) {
    Reader reader{text, strictness};
    if (!reader.matches(form)) return std::nullopt;
    return std::move(reader.date());
}

} // namespace ipcbox::http
