// The answers of clocks, by every protocol. Each gets the same bytes, while our clock and the pivot
// are near or far.
#include "clocks/daytime.h"
#include "clocks/source.h"
#include "clocks/time_protocol.h"
#include "require.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

using namespace ipcbox;
using namespace ipcbox::clocks;
using namespace std::chrono_literals;

namespace {

constexpr std::time_t start_of_1900 = -2'208'988'800;
constexpr std::time_t wrap = 2'085'978'496; // 2036-02-07 at 06:28:16 UTC
constexpr std::time_t end_of_2150 = 5'711'817'599;
constexpr std::array<std::time_t, 5> moments{1'800'000'000, 0, wrap, start_of_1900, end_of_2150};

constexpr std::array sources{Source::time,    Source::time_udp,    Source::ntp,
                             Source::daytime, Source::daytime_udp, Source::http};

bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char byte) { return byte >= ' ' && byte <= '~'; });
}

void check_time(std::string_view bytes, std::time_t pivot) {
    const auto time = decode_time(bytes, pivot);
    require(time.has_value() == (bytes.size() == time_answer_size));
    if (!time) return;
    const auto again = encode_time(*time);
    require(bytes == std::string_view{again.data(), again.size()});
    require(std::abs(*time - pivot) <= 1LL << 31);
}

void check_daytime(std::string_view text, std::time_t now) {
    const auto daytime = parse_daytime(text, now);
    if (!daytime) return;
    require(text.size() < max_daytime_bytes);
    require(daytime->resolution == 1s || daytime->resolution == 1min);
    constexpr std::time_t day = 86'400; // a zone can differ by this much
    require(daytime->time > start_of_1900 - day && daytime->time < end_of_2150 + day);
    if (is_within_years(daytime->time)) {
        const auto same = parse_daytime(iso_time(daytime->time), now);
        require(same && same->time == daytime->time && same->states_zone);
    }
    const auto words = parse_daytime(daytime_words(text), now);
    require(words && words->time == daytime->time && words->resolution == daytime->resolution);
}

void check_sntp(std::string_view bytes, const Timing& timing, std::time_t pivot) {
    const auto answer = parse_sntp(bytes, timing, pivot);
    require(answer.stratum >= 0 && answer.stratum <= 255 && is_visible(answer.reference));
    if (answer.kiss_of_death) require(answer.stratum == 0 && !answer.reference.empty());
    if (!answer.reading) return;
    require(bytes.size() >= sntp_packet_size && bytes.size() % 4 == 0);
    require(answer.stratum >= 1 && answer.stratum <= 15);
    std::uint64_t nonce = 0;
    for (const char byte : bytes.substr(24, 8))
        nonce = nonce << 8 | static_cast<unsigned char>(byte);
    require(answers_question(bytes, nonce) && !answers_question(bytes, nonce ^ 1));
    // At most: 16 s to the root, 16 s of precision, and half a second of contradiction.
    require(answer.reading->error <= timing.round_trip + 33s);
}

void check_reading(const Reading& reading, const Timing& timing) {
    require(reading.said >= wall_time(start_of_1900));
    require(reading.said <= wall_time(end_of_2150) + 1s); // plus its fraction
    require(reading.error >= 0ns && reading.resolution >= 0ns);
    require(reading.round_trip == timing.round_trip);
    // The server read its clock between the question and the answer.
    const auto offset = reading.said - timing.received;
    require(offset >= reading.offset - reading.error - reading.round_trip);
    require(offset <= reading.offset + reading.error + reading.round_trip);

    require(min_deviation(reading) == 0ns ? whole_seconds(reading) == 0
                                          : min_deviation(reading) <= abs(reading.offset));
    const auto ask = next_tick_question(reading, timing.received) - timing.received;
    require(ask >= 0ns && ask < std::max<Duration>(reading.resolution, 1ns));
    const auto same = narrowed(reading, reading);
    require(same.offset == reading.offset && same.error == reading.error);
    if (flag_of(reading) == Flag::none) require(abs(reading.offset) < std::chrono::days{1});
}

void check_answer(std::string_view bytes, const Asked& asked) {
    const auto answer = interpret(bytes, asked);
    require(answer.reading.has_value() == answer.problem.empty());
    require(is_visible(answer.problem)); // no byte of the peer may control a terminal
    require(bytes.find(answer.text) != std::string_view::npos);
    require(answer.sntp.has_value() == (asked.source == Source::ntp && !bytes.empty()));
    if (answer.reading) {
        check_reading(*answer.reading, asked.timing);
        require(bytes.size() < max_answer_bytes(asked.source));
    }
}

// More bytes never make an answer less complete. An answer that is incomplete has no time in it.
// (Words can make sense before their line ends.)
void check_progress(std::string_view bytes, Source source) {
    auto before = Progress::incomplete;
    for (std::size_t size = 0; size <= bytes.size() && before != Progress::complete; ++size) {
        const auto now = progress(source, bytes.substr(0, size));
        require(now >= before);
        before = now;
    }
    require(progress(source, bytes) == before);
    const bool is_words = source == Source::daytime;
    const Asked asked{.source = source};
    if (before == Progress::incomplete && !is_words) require(!interpret(bytes, asked).reading);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    for (const auto moment : moments) {
        const Timing timing{.received = wall_time(moment) + 123'456'789ns, .round_trip = 20ms};
        check_time(bytes, moment);
        check_daytime(bytes, moment);
        check_sntp(bytes, timing, moment);
        for (const auto source : sources)
            check_answer(bytes, {.source = source, .timing = timing, .pivot = moment});
    }
    for (const auto source : sources)
        check_progress(bytes, source);
    return 0;
}
