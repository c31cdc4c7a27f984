#include "clocks/sntp.h"

#include "clocks/time_protocol.h"
#include "core/ascii.h"
#include "core/counted.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::clocks {

namespace {

using namespace std::chrono;

// Where the fields of a packet begin (RFC 5905, section 7.3).
constexpr std::size_t root_delay_at = 4;
constexpr std::size_t root_dispersion_at = 8;
constexpr std::size_t reference_at = 12;
constexpr std::size_t originate_at = 24;
constexpr std::size_t receive_at = 32;
constexpr std::size_t transmit_at = 40;

constexpr unsigned client_mode = 3;
constexpr unsigned server_mode = 4;
constexpr unsigned newest_version = 4;
constexpr unsigned not_synchronised = 3; // a leap indicator
constexpr int max_stratum = 15;

// The largest distance from the reference in a valid header of RFC 5905 (MAXDISP, appendix
// A.5.1.1). We refuse no smaller distance, because the error includes it.
constexpr Duration max_root_distance = seconds{16};
// A server can seem to hold an answer longer than the whole round trip took, because clocks run at
// different speeds and some have a poor resolution. A larger difference means that one of the
// clocks was set in the meantime.
constexpr Duration max_contradiction = seconds{1};

unsigned byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

std::uint32_t word_at(std::string_view bytes, std::size_t at) {
    return byte_at(bytes, at) << 24 | byte_at(bytes, at + 1) << 16 | byte_at(bytes, at + 2) << 8 |
           byte_at(bytes, at + 3);
}

std::uint64_t timestamp_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint64_t>(word_at(bytes, at)) << 32 | word_at(bytes, at + 4);
}

// From units of 1 / 2^32 seconds.
Duration nanoseconds_of(std::uint32_t fraction) {
    constexpr std::uint64_t half = 1ULL << 31;
    return Duration{(fraction * 1'000'000'000ULL + half) >> 32};
}

WallTime time_of(std::uint64_t timestamp, std::time_t pivot) {
    const auto whole = in_nearest_era(static_cast<std::uint32_t>(timestamp >> 32), pivot);
    return wall_time(whole) + nanoseconds_of(static_cast<std::uint32_t>(timestamp));
}

// The time from EARLIER to LATER. Both must be in the same era, whichever that is.
Duration between(std::uint64_t earlier, std::uint64_t later) {
    const auto difference = static_cast<std::int64_t>(later - earlier);
    return seconds{difference >> 32} + nanoseconds_of(static_cast<std::uint32_t>(difference));
}

// From units of 1 / 2^16 seconds.
Duration short_format(std::uint32_t value) {
    return Duration{value * 1'000'000'000ULL >> 16};
}

// How far the answering clock can be from its primary reference (RFC 5905, section 4). RFC 4330
// makes the delay signed and RFC 5905 unsigned. No real delay is so large that this matters.
Duration root_distance(std::string_view bytes) {
    const auto delay = word_at(bytes, root_delay_at);
    return short_format(std::min(delay, 0U - delay)) / 2 +
           short_format(word_at(bytes, root_dispersion_at));
}

// 2^EXPONENT seconds, but at most 16 s.
Duration precision_of(int exponent) {
    constexpr std::int64_t most = 16'000'000'000;
    return Duration{most >> (4 - std::clamp(exponent, -40, 4))};
}

// "GPS": four bytes of ASCII, with zeros at the end. Empty for anything else.
std::string code_of(std::string_view bytes) {
    const auto code = bytes.substr(0, bytes.find_last_not_of('\0') + 1);
    const auto is_visible = [](char byte) { return byte > ' ' && byte <= '~'; };
    return std::ranges::all_of(code, is_visible) ? std::string{code} : std::string{};
}

// From stratum 2 on, a server puts the address of its reference here, or for IPv6 a hash that looks
// like one.
std::string reference_of(std::string_view bytes, int stratum) {
    auto code = stratum <= 1 ? code_of(bytes) : std::string{};
    if (!code.empty() || stratum == 0) return code;
    return fmt::format("{}.{}.{}.{}", byte_at(bytes, 0), byte_at(bytes, 1), byte_at(bytes, 2),
                       byte_at(bytes, 3));
}

// Stratum 0 means "not synchronised", or a kiss (RFC 5905, section 7.4). A server with one of these
// codes is still starting.
bool is_starting(std::string_view code) {
    return code.empty() || code == "INIT" || code == "STEP";
}

std::string size_problem(std::size_t size) {
    if (size < sntp_packet_size) return fmt::format("short answer ({})", counted(size, "byte"));
    // Extension fields and authentication codes consist of words of 4 bytes.
    if (size % 4 != 0) return fmt::format("an answer of {} bytes", size);
    return {};
}

Reading reading_of_packet(std::string_view bytes, const Timing& timing, std::time_t pivot) {
    const auto received = timestamp_at(bytes, receive_at);
    const auto sent = timestamp_at(bytes, transmit_at);
    const auto precision = precision_of(static_cast<signed char>(bytes[3]));
    const auto delay = timing.round_trip - between(received, sent);
    // A negative delay is a contradiction, so it must not make the error smaller.
    const auto error = abs(delay) / 2 + Duration{1} + root_distance(bytes) + precision;
    const auto said = time_of(sent, pivot);
    return {.said = said,
            .offset = said - timing.received + delay / 2,
            .error = error,
            .round_trip = timing.round_trip,
            .resolution = precision};
}

} // namespace

std::array<char, sntp_packet_size> sntp_question(std::uint64_t nonce) {
    std::array<char, sntp_packet_size> packet{};
    packet[0] = static_cast<char>(newest_version << 3 | client_mode);
    for (std::size_t at = sntp_packet_size; at-- > transmit_at; nonce >>= 8)
        packet[at] = static_cast<char>(nonce);
    return packet;
}

bool answers_question(std::string_view bytes, std::uint64_t nonce) {
    return bytes.size() >= receive_at && timestamp_at(bytes, originate_at) == nonce;
}

SntpAnswer parse_sntp(std::string_view bytes, const Timing& timing, std::time_t pivot) {
    SntpAnswer answer{.problem = size_problem(bytes.size())};
    if (!answer.problem.empty()) return answer;

    const auto first = byte_at(bytes, 0);
    const auto mode = first & 7U;
    const auto version = first >> 3 & 7U;
    const auto leap = first >> 6;
    const auto refused = [&](std::string problem) {
        answer.problem = std::move(problem);
        return answer;
    };
    if (mode != server_mode) return refused(fmt::format("an answer of mode {}", mode));
    if (version < 1 || version > newest_version)
        return refused(fmt::format("an answer of version {}", version));

    answer.stratum = static_cast<int>(byte_at(bytes, 1));
    answer.leap = static_cast<Leap>(leap); // the enumerators have the numbers of the RFC
    answer.reference = reference_of(bytes.substr(reference_at, 4), answer.stratum);
    answer.kiss_of_death = answer.stratum == 0 && !is_starting(answer.reference);
    if (answer.kiss_of_death) return refused(fmt::format("kiss of death ({})", answer.reference));
    if (answer.stratum == 0 || answer.stratum > max_stratum || leap == not_synchronised)
        return refused("its clock is not synchronised");

    const auto received = timestamp_at(bytes, receive_at);
    const auto sent = timestamp_at(bytes, transmit_at);
    if (sent == 0) return refused("its answer has no transmit time");
    const auto held = between(received, sent);
    if (held < Duration::zero() || held - timing.round_trip > max_contradiction)
        return refused("its times contradict each other");
    if (root_distance(bytes) >= max_root_distance) return refused("its reference is too far away");
    answer.reading = reading_of_packet(bytes, timing, pivot);
    return answer;
}

} // namespace ipcbox::clocks
