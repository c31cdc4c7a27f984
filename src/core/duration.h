// Durations as text.
#pragma once

#include "core/deadline.h"

#include <optional>
#include <string>
#include <string_view>

namespace ipcbox {

// "0.25", "500ms", "10s", "2m", "1h30m", "1d", "1w": a number without a unit is seconds; several
// units add up, the longest first. A single number can be any that strtod(3) reads, as for
// timeout(1): "1e3", "0x10", "inf". A value that is too large for a Duration becomes
// Duration::max(). Returns nothing for any other TEXT, such as "-1", "+1" or "nan".
[[nodiscard]] std::optional<Duration> duration_in(std::string_view text);

// "0.3s", "12s", "3m12s": as much as a person wants to know.
[[nodiscard]] std::string rounded_duration(Duration duration);

} // namespace ipcbox
