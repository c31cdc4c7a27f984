#include "clocks/source.h"

#include "clocks/daytime.h"
#include "clocks/time_protocol.h"
#include "core/counted.h"
#include "core/service.h"
#include "http/failure.h"
#include "http/response_parser.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::clocks {

namespace {

enum class Carrier { stream, datagram, tls };

struct Protocol {
    Source source;
    std::string_view name;
    std::uint16_t port; // IANA's
    Carrier carrier;
    std::size_t max_answer_bytes;
};

// We read more bytes than an answer needs. RFC 868 sends 4 bytes, and we report how many came
// instead. RFC 867 should send one line. NTP can add extension fields, but its answer has to fit
// into a packet.
constexpr std::array<Protocol, 7> protocols{{
    {Source::time, "time", 37, Carrier::stream, 16},
    {Source::time_udp, "time-udp", 37, Carrier::datagram, 16},
    {Source::ntp, "ntp", 123, Carrier::datagram, 1280},
    {Source::daytime, "daytime", 13, Carrier::stream, max_daytime_bytes},
    {Source::daytime_udp, "daytime-udp", 13, Carrier::datagram, max_daytime_bytes},
    {Source::http, "http", 80, Carrier::stream, 16UL * 1024},
    {Source::https, "https", 443, Carrier::tls, 16UL * 1024},
}};

const Protocol& protocol_of(Source source) {
    return *std::ranges::find(protocols, source, &Protocol::source);
}

Source parse_source(std::string_view name) {
    const auto* const found = std::ranges::find(protocols, name, &Protocol::name);
    if (found == protocols.end())
        throw std::invalid_argument(
            "expected a list of ntp, http, https, time, time-udp, daytime and daytime-udp");
    return found->source;
}

SourcePort parse_source_port(std::string_view text) {
    const auto colon = text.find(':');
    SourcePort source{parse_source(text.substr(0, colon)), std::nullopt};
    if (colon == std::string_view::npos) return source;
    source.port = service_port(text.substr(colon + 1));
    if (!source.port)
        throw std::invalid_argument("expected a port after the colon, as in http:8080");
    return source;
}

Answer problem(std::string text) {
    return {.problem = std::move(text)};
}

std::string short_answer(std::size_t size) {
    return fmt::format("short answer ({})", counted(size, "byte"));
}

Answer interpret_time(std::string_view bytes, const Asked& asked) {
    const auto time = decode_time(bytes, asked.pivot);
    if (time) return {.reading = reading_of(*time, asked.timing)};
    if (bytes.size() < time_answer_size) return problem(short_answer(bytes.size()));
    // At the limit we do not know how many bytes the server sent.
    if (bytes.size() >= max_answer_bytes(asked.source)) return problem("trailing bytes");
    return problem(
        fmt::format("trailing bytes ({} instead of {})", bytes.size(), time_answer_size));
}

Answer interpret_ntp(std::string_view bytes, const Asked& asked) {
    const auto sntp = parse_sntp(bytes, asked.timing, asked.pivot);
    return {.reading = sntp.reading, .problem = sntp.problem, .leap = sntp.leap, .sntp = sntp};
}

Answer interpret_daytime(std::string_view bytes, const Asked& asked) {
    Answer answer{.text = std::string{daytime_words(bytes)}};
    answer.daytime = parse_daytime(bytes, asked.pivot);
    if (const auto& daytime = answer.daytime) {
        answer.reading = reading_of(daytime->time, asked.timing, daytime->resolution);
        answer.reading->error += daytime->doubt;
        answer.leap = daytime->leap;
    } else {
        answer.problem = "cannot find a time in what it says";
    }
    return answer;
}

Answer interpret_http(std::string_view bytes, const Asked& asked) try {
    http::ResponseParser parser{http::ResponseParser::Asked::head};
    (void)parser.parse_head(bytes);
    if (!parser.has_head())
        return problem(bytes.size() < max_answer_bytes(asked.source) ? short_answer(bytes.size())
                                                                     : "its head is too long");
    // Any status will do, because an error also has a Date. In an answer from a cache, the Date is
    // old: it was sent when the answer was cached (RFC 9111, section 5.1).
    if (const auto* const age = parser.head().find("Age"); age != nullptr && *age != "0")
        return problem("its answer is a cache's");
    const auto* const date = parser.head().find("Date");
    if (date == nullptr) return problem("its answer has no Date");
    // Servers write more forms than RFC 9110 allows ("Sun, 6 Nov …", "UTC"). We accept them,
    // because a clock with a sloppy Date is still a clock. (A condition on a document must be
    // stricter.)
    auto written = parse_daytime(*date, asked.pivot, ZonelessTime::is_utc);
    if (!written) return problem("cannot understand its Date");
    return {.reading = reading_of(written->time, asked.timing, written->resolution),
            .daytime = std::move(written)};
} catch (const http::ProtocolError&) {
    return problem("not HTTP");
}

// An answer is one line, but another one may follow.
Progress daytime_progress(std::string_view bytes) {
    const auto words = daytime_words(bytes);
    if (words.empty()) return Progress::incomplete;
    const auto behind = bytes.substr(static_cast<std::size_t>(words.data() - bytes.data()));
    return behind.find_first_of("\r\n") == std::string_view::npos ? Progress::incomplete
                                                                  : Progress::enough;
}

Progress http_progress(std::string_view bytes) try {
    http::ResponseParser parser{http::ResponseParser::Asked::head};
    (void)parser.parse_head(bytes);
    return parser.has_head() ? Progress::complete : Progress::incomplete;
} catch (const http::ProtocolError&) {
    return Progress::complete;
}

} // namespace

std::string_view name_of(Source source) {
    return protocol_of(source).name;
}

std::vector<SourcePort> parse_sources(std::string_view text) {
    std::vector<SourcePort> sources;
    for (;;) {
        const auto comma = text.find(',');
        sources.push_back(parse_source_port(text.substr(0, comma)));
        if (comma == std::string_view::npos) return sources;
        text.remove_prefix(comma + 1);
    }
}

std::uint16_t default_port(Source source) {
    return protocol_of(source).port;
}

bool is_datagram(Source source) {
    return protocol_of(source).carrier == Carrier::datagram;
}

std::size_t max_answer_bytes(Source source) {
    return protocol_of(source).max_answer_bytes;
}

bool is_tls(Source source) {
    return protocol_of(source).carrier == Carrier::tls;
}

Match match_of(Source source, std::string_view bytes, std::uint64_t nonce) {
    const bool is_well_formed = source == Source::time_udp ? bytes.size() == time_answer_size
                                : source == Source::ntp    ? bytes.size() >= sntp_packet_size
                                                           : !bytes.empty();
    if (!is_well_formed) return Match::malformed;
    const bool is_forged = source == Source::ntp && !answers_question(bytes, nonce);
    return is_forged ? Match::forged : Match::answer;
}

std::string question(Source source, std::string_view host, std::uint64_t nonce) {
    switch (source) {
    case Source::ntp: {
        const auto packet = sntp_question(nonce);
        return {packet.data(), packet.size()};
    }
    case Source::http:
    case Source::https:
        return fmt::format("HEAD / HTTP/1.1\r\n"
                           "Host: {}\r\n"
                           "User-Agent: ipcbox\r\n"
                           "Connection: close\r\n"
                           "\r\n",
                           host);
    default:
        return {}; // the connection or the datagram itself asks
    }
}

Progress progress(Source source, std::string_view bytes) {
    if (bytes.empty()) return Progress::incomplete;
    switch (source) {
    case Source::time:
        if (bytes.size() < time_answer_size) return Progress::incomplete;
        return bytes.size() == time_answer_size ? Progress::enough : Progress::complete;
    case Source::daytime:
        return daytime_progress(bytes);
    case Source::http:
    case Source::https:
        return http_progress(bytes);
    default:
        return Progress::complete; // a datagram always comes whole
    }
}

Answer interpret(std::string_view bytes, const Asked& asked) {
    if (bytes.empty())
        return problem(is_datagram(asked.source) ? "empty answer" : "closed without answering");
    switch (asked.source) {
    case Source::time:
    case Source::time_udp:
        return interpret_time(bytes, asked);
    case Source::ntp:
        return interpret_ntp(bytes, asked);
    case Source::daytime:
    case Source::daytime_udp:
        return interpret_daytime(bytes, asked);
    case Source::http:
    case Source::https:
        return interpret_http(bytes, asked);
    }
    return {};
}

} // namespace ipcbox::clocks
