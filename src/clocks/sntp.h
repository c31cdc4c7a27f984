// The client of the Simple Network Time Protocol: RFC 4330, and RFC 5905, section 14.
//
// A question reveals nothing about us, because its transmit timestamp is random. An answer that
// does not return it is forged.
#pragma once

#include "clocks/reading.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::clocks {

constexpr std::size_t sntp_packet_size = 48;

// A client's packet, version 4, with NONCE as its transmit timestamp.
[[nodiscard]] std::array<char, sntp_packet_size> sntp_question(std::uint64_t nonce);

struct SntpAnswer {
    std::optional<Reading> reading = {};
    std::string problem = {}; // why there is no reading
    // These are worth reporting even without a reading:
    int stratum = 0;
    Leap leap = Leap::none;
    // "GPS" of stratum 1, "192.0.2.1" of others; "RATE", "DENY" of a kiss, "INIT" of none as yet.
    std::string reference = {};
    bool kiss_of_death = false; // do not ask it again (RFC 5905, section 7.4)
};

// Whether BYTES answer the question with NONCE at all. If not, their sender did not see the
// question, and they are to be ignored.
[[nodiscard]] bool answers_question(std::string_view bytes, std::uint64_t nonce);

// Computes the offset and its error from the four timestamps, the root delay and dispersion, and
// the precision. Timestamps belong to the era nearest to PIVOT. Answers that RFC 4330, section 5,
// tells a client to refuse are a problem: another mode, version or size, a kiss of death, a clock
// that says that it is not synchronised, no transmit time, times that contradict each other, a
// reference that is 16 s or more away. Extension fields and authentication are ignored.
[[nodiscard]] SntpAnswer parse_sntp(std::string_view bytes, const Timing& timing,
                                    std::time_t pivot);

} // namespace ipcbox::clocks
