// The values that options take. Each parser returns the value, or throws std::invalid_argument that
// says what was expected; Options adds the name of the option and the value that was given.
#pragma once

#include "core/deadline.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::cli {

// The text itself.
[[nodiscard]] std::string parse_text(std::string_view text);

// The name of a file or a directory. An empty text, such as that of a variable that is not set, is
// no name, and must not count as if the option were not there.
[[nodiscard]] std::string parse_file(std::string_view text);

// "0.25", "500ms", "10s", "2m", "1h30m", "1d", "1w": a number without a unit is seconds; several
// units add up, the longest first. A duration that is too long for a Duration is Duration::max().
[[nodiscard]] Duration parse_duration(std::string_view text);

// The same, above 0: for an interval, or wherever 0 would be invalid.
[[nodiscard]] Duration parse_positive_duration(std::string_view text);

// The same; 0 stands for "no limit", which is Duration::max() and, as a Deadline, never().
[[nodiscard]] Duration parse_time_limit(std::string_view text);

// "-3600", "+0.5", "-1h30m": a duration with or without a sign, at most a hundred years, so that it
// can be added to a time of day.
[[nodiscard]] Duration parse_offset(std::string_view text);

// "4096", "4K", "4k", "2M", "1G", "1T": bytes, in powers of 1024.
[[nodiscard]] std::uint64_t parse_size(std::string_view text);

// A decimal number from MIN to MAX.
[[nodiscard]] std::function<int(std::string_view)> number_between(int min, int max);

// "600", "0640": octal permission bits.
[[nodiscard]] mode_t parse_mode(std::string_view text);

// "TERM", "SIGTERM", "15", "RTMIN+3".
[[nodiscard]] int parse_signal(std::string_view text);

// "8080", or the name of a service. The few names that we need are built in; the others come from
// /etc/services.
[[nodiscard]] std::uint16_t parse_port(std::string_view text);

struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name; // of the user; empty when no user has the uid
};
// "www-data", "33:33", "www-data:adm". Without a group, the user's own group.
[[nodiscard]] Owner parse_owner(std::string_view text);

} // namespace ipcbox::cli
