#include "clocks/sntp.h"

#include "core/ascii.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::clocks;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t nonce = 0x0123'4567'89ab'cdef;
constexpr std::time_t asked_at = 1'795'489'812; // 2026-11-24 at 03:10:12 UTC
// When chronyd's answers below came.
constexpr Timing timing{.received = WallTime{1'795'489'812'644'470'500ns}, .round_trip = 500us};

std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
        bytes += static_cast<char>(*ascii::hex_value(digits[at]) << 4 |
                                   *ascii::hex_value(digits[at + 1]));
    return bytes;
}

// Answers of chronyd 4.3: one with "local stratum 10", and one from before it had a source.
const std::string_view local_answer = "240a00e700000000000000007f7f0101eeaf7e932115e90a"
                                      "0123456789abcdefeeaf7e94a4e536c3eeaf7e94a4f012a6";
const std::string_view lost_answer = "e40000e700010000000100000000000000000000000000000"
                                     "123456789abcdefeeaf7e96db1cbff9eeaf7e96db22c95e";

SntpAnswer parse(std::string_view bytes, std::time_t pivot = asked_at) {
    return parse_sntp(bytes, timing, pivot);
}

// chronyd's answer, in which the bytes from AT on are replaced by HEX.
std::string with(std::size_t at, std::string_view hex) {
    auto bytes = from_hex(local_answer);
    const auto other = from_hex(hex);
    return bytes.replace(at, other.size(), other);
}

std::string problem(std::string_view bytes) {
    const auto answer = parse(bytes);
    CHECK(answer.reading.has_value() == answer.problem.empty());
    return answer.problem;
}

} // namespace

TEST_CASE("a question tells nothing but its version and a number") {
    const auto packet = sntp_question(nonce);
    CHECK(std::string{packet.data(), packet.size()} ==
          from_hex("23" + std::string(78, '0') + "0123456789abcdef"));
}

TEST_CASE("an answer brings the number back") {
    const auto bytes = from_hex(local_answer);
    CHECK(answers_question(bytes, nonce));
    CHECK_FALSE(answers_question(bytes, nonce + 1));
    CHECK_FALSE(answers_question(bytes, 0));
    CHECK_FALSE(answers_question("", 0));
    CHECK_FALSE(answers_question(bytes.substr(0, 31), nonce));
    CHECK(answers_question(bytes.substr(0, 32), nonce)); // it does, but is too short
}

TEST_CASE("an answer of chronyd is understood") {
    const auto answer = parse(from_hex(local_answer));
    REQUIRE(answer.reading);
    CHECK(answer.problem.empty());
    CHECK(answer.stratum == 10);
    CHECK(answer.leap == Leap::none);
    CHECK(answer.reference == "127.127.1.1");
    CHECK_FALSE(answer.kiss_of_death);
    // chronyd got the question at .644122526 (a4e536c3 of 2^32), and answered at .644288221
    // (a4f012a6).
    const auto& reading = *answer.reading;
    CHECK(reading.said == WallTime{1'795'489'812'644'288'221ns});
    CHECK(reading.round_trip == 500us);
    CHECK(reading.resolution == 29ns); // 2^-25 s
    // ((T2 - T1) + (T3 - T4)) / 2 = (152'026 - 182'279) / 2 ns
    CHECK(abs(reading.offset + 15'127ns) <= 1ns);
    // Half of the 500 us, without the 166 us that chronyd took, plus the precision.
    CHECK(abs(reading.error - (500'000ns - 165'695ns) / 2 - 29ns) <= 2ns);
}

TEST_CASE("other answers of chronyd are understood") {
    // Answers of version 3 and of version 1, and one of stratum 1.
    CHECK(problem(with(0, "1c")).empty());
    CHECK(problem(with(0, "0c")).empty());
    const auto first = parse(with(1, "01"));
    CHECK(first.stratum == 1);
    CHECK(first.reference == "127.127.1.1"); // the bytes are no ASCII
    // chronyd had no source yet.
    const auto lost = parse_sntp(from_hex(lost_answer), timing, asked_at);
    CHECK_FALSE(lost.reading);
    CHECK(lost.problem == "its clock is not synchronised");
    CHECK_FALSE(lost.kiss_of_death);
    CHECK(lost.reference.empty());
}

TEST_CASE("the reference is a code or an address") {
    CHECK(parse(with(1, "01")).reference == "127.127.1.1");
    auto bytes = with(1, "01");
    CHECK(parse(bytes.replace(12, 4, std::string_view{"GPS\0", 4})).reference == "GPS");
    CHECK(parse(bytes.replace(12, 4, "DCFa")).reference == "DCFa");
    CHECK(parse(bytes.replace(12, 4, "\x1b[2J")).reference == "27.91.50.74");
    CHECK(parse(bytes.replace(12, 4, std::string_view{"G\0PS", 4})).reference == "71.0.80.83");
    CHECK(parse(with(12, "c0000201")).reference == "192.0.2.1");
    CHECK(parse(with(12, "47505300")).reference == "71.80.83.0"); // an address
}

TEST_CASE("a leap second to come is reported") {
    CHECK(parse(with(0, "64")).leap == Leap::insert);
    CHECK(parse(with(0, "a4")).leap == Leap::remove);
    CHECK(parse(with(0, "64")).reading);
    CHECK(parse(with(0, "e4")).leap == Leap::unknown);
    CHECK(problem(with(0, "e4")) == "its clock is not synchronised");
}

TEST_CASE("a kiss of death is told apart") {
    for (const std::string_view code : {"RATE", "DENY", "RSTR", "XYZ"}) {
        auto bytes = with(0, "e400");
        bytes.replace(12, 4, std::string{code} + std::string(4 - code.size(), '\0'));
        const auto answer = parse(bytes);
        CHECK(answer.kiss_of_death);
        CHECK(answer.reference == code);
        CHECK(answer.stratum == 0);
        CHECK(answer.problem == "kiss of death (" + std::string{code} + ")");
        CHECK_FALSE(answer.reading);
    }
    for (const std::string_view code : {"INIT", "STEP", "\x1b[2J"}) {
        const auto answer = parse(with(0, "e400").replace(12, 4, code));
        CHECK_FALSE(answer.kiss_of_death);
        CHECK(answer.problem == "its clock is not synchronised");
    }
    CHECK(parse(with(0, "e400").replace(12, 4, "INIT")).reference == "INIT");
}

TEST_CASE("an answer that a client must refuse is refused") {
    const auto whole = from_hex(local_answer);
    CHECK(problem("") == "short answer (0 bytes)");
    CHECK(problem("a") == "short answer (1 byte)");
    CHECK(problem(whole.substr(0, 47)) == "short answer (47 bytes)");
    CHECK(problem(whole + "a") == "an answer of 49 bytes");
    CHECK(problem(whole + std::string(20, 'a')).empty()); // with a MAC or an extension field
    CHECK(problem(with(0, "23")) == "an answer of mode 3");
    CHECK(problem(with(0, "25")) == "an answer of mode 5");
    CHECK(problem(with(0, "04")) == "an answer of version 0");
    CHECK(problem(with(0, "2c")) == "an answer of version 5");
    CHECK(problem(with(1, "10")) == "its clock is not synchronised");
    CHECK(problem(with(1, "ff")) == "its clock is not synchronised");
    CHECK(problem(with(1, "0f")).empty());
    CHECK(problem(with(40, "0000000000000000")) == "its answer has no transmit time");
    CHECK(problem(with(40, "eeaf7e94a4e530c3")) == "its times contradict each other");
    CHECK(problem(with(40, "eeaf7e94a4e536c3")).empty()); // answered in no time at all
    CHECK(problem(with(32, "eeaf7e93a4e536c3")).empty()); // held for half a millisecond
    CHECK(problem(with(32, "eeaf7e92a4e536c3")) == "its times contradict each other");
    CHECK(problem(with(32, "0000000000000000")) == "its times contradict each other");
}

TEST_CASE("a reference far away makes a large error, or is refused") {
    CHECK(parse(with(8, "00020000")).reading->error > 2s);
    CHECK(parse(with(8, "00020000")).reading->error < 2001ms);
    CHECK(parse(with(4, "00020000")).reading->error > 1s); // half of a root delay of 2 s
    CHECK(parse(with(4, "00020000")).reading->error < 1001ms);
    CHECK(parse(with(4, "ffff0000")).reading->error > 500ms); // a root delay of -1 s
    CHECK(parse(with(4, "ffff0000")).reading->error < 501ms);
    CHECK(parse(with(3, "00")).reading->error > 1s);
    CHECK(parse(with(3, "04")).reading->resolution == 16s);
    CHECK(parse(with(3, "7f")).reading->resolution == 16s);
    CHECK(parse(with(3, "80")).reading->resolution == 0s);
    CHECK(parse(with(3, "e2")).reading->resolution == 0s); // below a nanosecond
    CHECK(problem(with(8, "000fffff")).empty());
    CHECK(problem(with(8, "00100000")) == "its reference is too far away");
    CHECK(problem(with(4, "001f0000")).empty());
    CHECK(problem(with(4, "00200000")) == "its reference is too far away");
    CHECK(problem(with(4, "80000000")) == "its reference is too far away");
    CHECK(problem(with(8, "ffffffff")) == "its reference is too far away");
}

TEST_CASE("an answer that was held longer than it took has a larger error") {
    // chronyd claims to have held it half a second longer, so the bounds of the offset are swapped.
    const auto answer = parse(with(32, "eeaf7e94248e7bd4"));
    REQUIRE(answer.reading);
    CHECK(answer.reading->error > 240ms);
    CHECK(answer.reading->error < 260ms);
}

TEST_CASE("a time after the end of the era belongs to the next one") {
    // The server got the question in the last half second of the first era, and answered in the
    // next one.
    constexpr std::time_t wrap = 2'085'978'496;    // 2036-02-07 at 06:28:16 UTC
    const auto bytes = with(32, "ffffffffc0000000" // - 0.25 s
                                "0000000040000000");
    const Timing late{.received = WallTime{std::chrono::seconds{wrap}} + 500ms, .round_trip = 1s};
    for (const auto pivot : {wrap - 1, wrap, wrap + 1, asked_at}) {
        const auto answer = parse_sntp(bytes, late, pivot);
        REQUIRE(answer.reading);
        CHECK(answer.reading->said == WallTime{std::chrono::seconds{wrap}} + 250ms);
        CHECK(answer.reading->offset == 0s);
        CHECK(answer.reading->error < 251ms);
    }
}

TEST_CASE("clocks that are as wrong as possible are read without overflow") {
    const Timing early{.received = WallTime{std::chrono::sys_days{std::chrono::January / 1 / 1900}},
                       .round_trip = 1s};
    const Timing late{.received = WallTime{std::chrono::sys_days{std::chrono::January / 1 / 2150}},
                      .round_trip = 1s};
    for (const auto& when : {early, late})
        for (const std::time_t pivot : {-2'208'988'800L, 0L, 5'711'817'599L})
            for (const auto* stamp :
                 {"0000000000000001", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff"}) {
                const auto answer = parse_sntp(with(32, std::string{stamp} + stamp), when, pivot);
                REQUIRE(answer.reading);
                CHECK(abs(answer.reading->offset) <= std::chrono::days{366 * 251});
            }
}
