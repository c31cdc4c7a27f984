// The values that options take. Each parser returns the value or throws std::invalid_argument with
// what was expected, to which Options adds the option and the value that was given.
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

// "0.25", "500ms", "10s", "2m", "1h", "1d": seconds without a unit.
[[nodiscard]] Duration parse_duration(std::string_view text);

// "-3600", "+0.5", "-90m": a duration with a sign, or without one. No longer than a hundred years,
// so that it can be added to a time of day.
[[nodiscard]] Duration parse_offset(std::string_view text);

// "4096", "4K", "2M", "1G": bytes, in powers of 1024.
[[nodiscard]] std::uint64_t parse_size(std::string_view text);

// A decimal number from LEAST to MOST.
[[nodiscard]] std::function<int(std::string_view)> number_between(int least, int most);

// "600", "0640": octal permission bits.
[[nodiscard]] mode_t parse_mode(std::string_view text);

// "TERM", "SIGTERM", "15", "RTMIN+3".
[[nodiscard]] int parse_signal(std::string_view text);

// "8080", or a service's name: the few that we need are built in, /etc/services has the others.
[[nodiscard]] std::uint16_t parse_port(std::string_view text);

struct Owner {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name; // of the user; empty when nobody has the uid
};
// "www-data", "33:33", "www-data:adm": without a group, the user's own.
[[nodiscard]] Owner parse_owner(std::string_view text);

} // namespace ipcbox::cli
