// The protocols by which a clock is asked: the question of each, when its answer is complete, and
// what the answer means. Nothing here reads or writes a socket.
#pragma once

#include "clocks/daytime.h"
#include "clocks/reading.h"
#include "clocks/sntp.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::clocks {

enum class Source { time, time_udp, ntp, daytime, daytime_udp, http, https };

// "time", "time-udp", "ntp", "daytime", "daytime-udp", "http", "https", as --via takes them.
[[nodiscard]] std::string_view name_of(Source source);

// A source, and the port to ask if it is not the default one.
struct SourcePort {
    Source source = Source::time;
    std::optional<std::uint16_t> port;
    [[nodiscard]] bool operator==(const SourcePort&) const = default;
};
// A list of them, as --via takes it: "ntp,time:2037,http:8080". Throws std::invalid_argument with
// what was expected.
[[nodiscard]] std::vector<SourcePort> parse_sources(std::string_view text);

[[nodiscard]] std::uint16_t default_port(Source source);
[[nodiscard]] bool is_datagram(Source source);
[[nodiscard]] bool is_tls(Source source);

// The bytes of a question: HOST is for HTTP's Host field ("[::1]:80"), NONCE for NTP.
[[nodiscard]] std::string question(Source source, std::string_view host, std::uint64_t nonce);

// How a datagram relates to the question with that nonce.
enum class Match {
    answer,
    malformed, // no server of this source sends such a datagram
    forged     // its sender has not seen the question
};
[[nodiscard]] Match match_of(Source source, std::string_view bytes, std::uint64_t nonce);

// How much of an answer has come over TCP.
enum class Progress {
    incomplete,
    enough,  // this may be all; it is if the server closes, or sends no more for a while
    complete // whatever follows
};
[[nodiscard]] Progress progress(Source source, std::string_view bytes);
// More bytes than an answer can have.
[[nodiscard]] std::size_t max_answer_bytes(Source source);

// The question that an answer belongs to.
struct Asked {
    Source source = Source::time;
    Timing timing;
    std::time_t pivot = 0; // of eras, and of years with two digits
};

// The outcome of a question.
struct Answer {
    std::optional<Reading> reading = {};
    // Why there is none: "short answer (2 bytes)", "closed without answering".
    std::string problem = {};
    std::string text = {}; // of daytime: what it said, without the line ends around it
    Leap leap = Leap::none;
    // The other facts of NTP, even when there is no reading.
    std::optional<SntpAnswer> sntp = {};
    // The other facts of a daytime or of HTTP's date; nothing when it has no time.
    std::optional<Daytime> daytime = {};
};
// Interprets an answer that is as complete as it will be.
[[nodiscard]] Answer interpret(std::string_view bytes, const Asked& asked);

} // namespace ipcbox::clocks
