#include "dialog/stamp.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <stdexcept>

namespace ipcbox::dialog {

namespace {

constexpr std::int64_t nanoseconds = 1'000'000'000;

// Whether FORMAT, which is longer than "%", begins with "%.S", "%.s" or "%.T" of ts(1).
bool is_microseconds(std::string_view format) {
    return format.size() >= 3 && format[1] == '.' &&
           (format[2] == 'S' || format[2] == 's' || format[2] == 'T');
}

// 3 for "%3N", 9 for "%N", 0 for anything else.
int fraction_digits(std::string_view format) {
    if (format.starts_with("%N")) return 9;
    const bool has_digit = format.size() >= 3 && format[1] >= '1' && format[1] <= '9';
    return has_digit && format[2] == 'N' ? format[1] - '0' : 0;
}

// Appends the text that strftime(3) makes of FORMAT. False when it is too long.
bool append_calendar(std::string& text, const std::string& format, const std::tm& time) {
    char buffer[Stamp::max_length + 2];
    // strftime(3) returns 0 for an empty text and for a text that is too long. Add a character, so
    // that no text is empty.
    const auto length = std::strftime(buffer, sizeof buffer, (format + '.').c_str(), &time);
    if (length == 0) return false;
    text.append(buffer, length - 1);
    return true;
}

} // namespace

Stamp::Stamp(std::string_view format, Kind kind, Moment start) : kind_(kind), start_(start) {
    split(format);
    (void)at(start);
}

void Stamp::split(std::string_view format) {
    while (!format.empty()) {
        const int digits = fraction_digits(format);
        if (format.starts_with("%s")) {
            // Do not use strftime(3): it treats all times as local time.
            parts_.push_back({Part::Kind::seconds});
            format.remove_prefix(2);
        } else if (format.starts_with("%:z")) {
            parts_.push_back({Part::Kind::zone});
            format.remove_prefix(3);
        } else if (format.front() == '%' && is_microseconds(format)) {
            if (format[2] == 's')
                parts_.push_back({Part::Kind::seconds});
            else
                add_calendar(std::string{'%', format[2]});
            add_calendar(".");
            parts_.push_back({Part::Kind::fraction, {}, 6});
            format.remove_prefix(3);
        } else if (digits > 0) {
            parts_.push_back({Part::Kind::fraction, {}, digits});
            format.remove_prefix(format[1] == 'N' ? 2 : 3);
        } else {
            // Take "%%" at once, so that its second byte does not begin a conversion.
            const std::size_t length = format.starts_with("%%") ? 2 : 1;
            add_calendar(format.substr(0, length));
            format.remove_prefix(length);
        }
    }
}

void Stamp::add_calendar(std::string_view format) {
    if (parts_.empty() || parts_.back().kind != Part::Kind::calendar) parts_.emplace_back();
    parts_.back().format += format;
}

std::string_view Stamp::at(Moment now) {
    auto shown = now;
    if (kind_ == Kind::since_start || kind_ == Kind::since_last) {
        shown = std::max(now - start_, Moment::zero());
        if (kind_ == Kind::since_last) start_ = now;
    }
    const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(shown).count();
    if (text_.empty() || seconds != second_) expand(seconds);
    std::int64_t rest = shown.count() - seconds * nanoseconds;
    for (const auto& [offset, digits] : fractions_) {
        auto value = rest;
        for (int digit = 9; digit > digits; --digit)
            value /= 10;
        for (int digit = digits; digit-- > 0; value /= 10)
            text_[offset + static_cast<std::size_t>(digit)] = static_cast<char>('0' + value % 10);
    }
    return text_;
}

void Stamp::expand(std::int64_t seconds) {
    second_ = seconds;
    text_.clear();
    fractions_.clear();
    const auto time = static_cast<std::time_t>(seconds);
    std::tm fields{};
    (kind_ == Kind::time_of_day ? ::localtime_r : ::gmtime_r)(&time, &fields);
    bool fits = true;
    for (const auto& part : parts_) {
        switch (part.kind) {
        case Part::Kind::calendar:
            fits = append_calendar(text_, part.format, fields) && fits;
            break;
        case Part::Kind::seconds:
            text_ += fmt::format_int{seconds}.c_str();
            break;
        case Part::Kind::fraction:
            fractions_.push_back({text_.size(), part.digits});
            text_.append(static_cast<std::size_t>(part.digits), '0');
            break;
        case Part::Kind::zone:
            (void)append_calendar(text_, "%z", fields);
            if (text_.size() >= 2) text_.insert(text_.size() - 2, 1, ':');
            break;
        }
    }
    if (!fits || text_.size() > max_length)
        throw std::invalid_argument(
            fmt::format("expected a time stamp of at most {} bytes", max_length));
}

} // namespace ipcbox::dialog
