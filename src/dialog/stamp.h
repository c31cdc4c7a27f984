// The time before a line: strftime(3), with the fractions of a second of ts(1) and date(1).
//
//     Stamp stamp{"%H:%M:%.S", Stamp::Kind::time_of_day, now};
//     stamp.at(now) // "17:31:02.123456"
//
// The calendar is asked once a second; otherwise only the digits of the fraction change.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::dialog {

// Nanoseconds of a clock; for a Stamp, since 1970.
using Moment = std::chrono::nanoseconds;

class Stamp {
  public:
    // The local time of day, the same in UTC, or the time since the first moment, or since the last
    // moment that was asked about. The last two count from 00:00:00.
    enum class Kind { time_of_day, utc, since_start, since_last };

    // FORMAT is that of strftime(3). In addition, %N is nanoseconds, %3N milliseconds and so on,
    // %:z is the time zone as +02:00, and %.S, %.s and %.T are %S, %s and %T with microseconds.
    // Throws std::invalid_argument when the text would be longer than max_length.
    Stamp(std::string_view format, Kind kind, Moment start);

    static constexpr std::size_t max_length = 1024;

    // The text for NOW, until the next call. A moment before the last one counts as no time.
    [[nodiscard]] std::string_view at(Moment now);

  private:
    // A run of conversions for strftime, or one of those that it does not have.
    struct Part {
        enum class Kind { calendar, seconds, fraction, zone } kind = Kind::calendar;
        std::string format{}; // calendar
        int digits = 0;       // fraction
    };
    struct Fraction {
        std::size_t offset;
        int digits;
    };

    void split(std::string_view format);
    void add_calendar(std::string_view format);
    void expand(std::int64_t seconds);

    Kind kind_;
    Moment start_;
    std::vector<Part> parts_;
    std::vector<Fraction> fractions_; // in text_
    std::int64_t second_ = 0;         // that text_ was made for
    std::string text_;
};

} // namespace ipcbox::dialog
