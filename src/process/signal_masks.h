// Sets of signals in the form of /proc/PID/status (proc(5)), "SigIgn:\t0000000000001000":
// hexadecimal, the lowest bit for signal 1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::process {

using SignalMask = std::uint64_t;

[[nodiscard]] constexpr bool has_signal(SignalMask mask, int number) {
    return (mask >> (number - 1) & 1U) != 0;
}

// Nothing when TEXT is not such a number, with or without 0x.
[[nodiscard]] std::optional<SignalMask> parse_signal_mask(std::string_view text);

// The names of the signals in it, in the order of their numbers.
[[nodiscard]] std::vector<std::string> names_in(SignalMask mask);

// What a process, or one of its threads, does about signals.
struct SignalMasks {
    SignalMask ignored = 0;
    SignalMask caught = 0;
    SignalMask blocked = 0;
    SignalMask pending = 0; // for the process or for the thread

    friend bool operator==(const SignalMasks&, const SignalMasks&) = default;
};

// From the text of a status file; nothing when its lines are not there.
[[nodiscard]] std::optional<SignalMasks> parse_signal_masks(std::string_view status);

} // namespace ipcbox::process
