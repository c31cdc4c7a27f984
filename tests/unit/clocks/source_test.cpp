#include "clocks/source.h"

#include "clocks/time_protocol.h"

#include <doctest/doctest.h>
#include <stdexcept>
#include <string>

using namespace ipcbox;
using namespace ipcbox::clocks;
using namespace std::chrono_literals;

namespace {

constexpr std::time_t now = 1'800'000'000; // in January 2027

constexpr Source all[] = {Source::time,    Source::time_udp,    Source::ntp,
                          Source::daytime, Source::daytime_udp, Source::http};

Answer answer(Source source, std::string_view bytes) {
    return interpret(bytes, {.source = source,
                             .timing = {.received = wall_time(now), .round_trip = 10ms},
                             .pivot = now});
}

std::string problem(Source source, std::string_view bytes) {
    const auto result = answer(source, bytes);
    CHECK(result.reading.has_value() == result.problem.empty());
    return result.problem;
}

std::string time_bytes(std::time_t time) {
    const auto bytes = encode_time(time);
    return {bytes.data(), bytes.size()};
}

std::string response(std::string_view fields, std::string_view status = "200 OK") {
    return std::string{"HTTP/1.1 "}.append(status).append("\r\n").append(fields).append("\r\n");
}

constexpr std::string_view date = "Date: Fri, 15 Jan 2027 08:00:03 GMT\r\n";

} // namespace

TEST_CASE("a source has a name, and can have a port") {
    for (const auto source : all)
        CHECK(parse_sources(name_of(source)) == std::vector<SourcePort>{{source, {}}});
    CHECK(parse_sources("ntp,time:2037,http:https") ==
          std::vector<SourcePort>{{Source::ntp, {}}, {Source::time, 2037}, {Source::http, 443}});
    for (const auto* text : {"ntp:", "ntp:nothing", "ntp:65536", "ntp:1:2"})
        CHECK_THROWS_WITH_AS((void)parse_sources(text),
                             "expected a port after the colon, as in http:8080",
                             std::invalid_argument);
    for (const auto* text : {"", ",", "ntp,", ",ntp", "ntp,,time", "NTP", " ntp", "sntp", "udp"})
        CHECK_THROWS_WITH_AS(
            (void)parse_sources(text),
            "expected a list of ntp, http, https, time, time-udp, daytime and daytime-udp",
            std::invalid_argument);
}

TEST_CASE("each source has its port and its carrier") {
    CHECK(default_port(Source::time) == 37);
    CHECK(default_port(Source::time_udp) == 37);
    CHECK(default_port(Source::ntp) == 123);
    CHECK(default_port(Source::daytime) == 13);
    CHECK(default_port(Source::daytime_udp) == 13);
    CHECK(default_port(Source::http) == 80);
    CHECK(is_datagram(Source::time_udp));
    CHECK(is_datagram(Source::daytime_udp));
    CHECK(is_datagram(Source::ntp));
    CHECK_FALSE(is_datagram(Source::time));
    CHECK_FALSE(is_datagram(Source::daytime));
    CHECK_FALSE(is_datagram(Source::http));
}

TEST_CASE("only NTP and HTTP have a question") {
    for (const auto source : {Source::time, Source::time_udp, Source::daytime, Source::daytime_udp})
        CHECK(question(source, "example.com", 7).empty());
    const auto ntp = question(Source::ntp, "example.com", 0x6162'6364'6566'6768);
    CHECK(ntp.size() == sntp_packet_size);
    CHECK(ntp.ends_with("abcdefgh"));
    CHECK(question(Source::http, "[::1]:80", 7) == "HEAD / HTTP/1.1\r\n"
                                                   "Host: [::1]:80\r\n"
                                                   "User-Agent: ipcbox\r\n"
                                                   "Connection: close\r\n"
                                                   "\r\n");
}

TEST_CASE("an empty answer is not an answer") {
    for (const auto source : all) {
        CHECK(problem(source, "") ==
              (is_datagram(source) ? "empty answer" : "closed without answering"));
        CHECK(progress(source, "") == Progress::incomplete);
    }
}

TEST_CASE("an answer of RFC 868 has four bytes") {
    for (const auto source : {Source::time, Source::time_udp}) {
        const auto result = answer(source, time_bytes(now + 3));
        REQUIRE(result.reading);
        CHECK(result.reading->said == wall_time(now + 3));
        CHECK(result.reading->offset == 3505ms);
        CHECK(result.reading->error == 505ms);
        CHECK(result.text.empty());
        CHECK(problem(source, "a") == "short answer (1 byte)");
        CHECK(problem(source, "abc") == "short answer (3 bytes)");
        CHECK(problem(source, "abcde") == "trailing bytes (5 instead of 4)");
        CHECK(problem(source, std::string(12, 'a')) == "trailing bytes (12 instead of 4)");
        CHECK(problem(source, std::string(max_answer_bytes(source), 'a')) == "trailing bytes");
    }
    CHECK(progress(Source::time, "abc") == Progress::incomplete);
    CHECK(progress(Source::time, "abcd") == Progress::enough);
    CHECK(progress(Source::time, "abcde") == Progress::complete);
    CHECK(progress(Source::time_udp, "a") == Progress::complete);
}

TEST_CASE("a daytime is interpreted, with its zone") {
    for (const auto source : {Source::daytime, Source::daytime_udp}) {
        const auto result = answer(source, "\nFri Jan 15 08:00:03 UTC 2027\r\n");
        REQUIRE(result.reading);
        CHECK(result.reading->said == wall_time(now + 3));
        CHECK(result.text == "Fri Jan 15 08:00:03 UTC 2027");
        REQUIRE(result.daytime);
        CHECK(result.daytime->states_zone);
        CHECK_FALSE(answer(source, "Fri Jan 15 08:00:03 2027\r\n").daytime->states_zone);
        CHECK(answer(source, "2027-01-15 08:00 UTC").reading->resolution == 1min);

        const auto lost = answer(source, "half past ten\r\n");
        CHECK_FALSE(lost.reading);
        CHECK(lost.problem == "cannot find a time in what it says");
        CHECK(lost.text == "half past ten");
        CHECK(problem(source, std::string(max_answer_bytes(source), ' ')) == lost.problem);
    }
    CHECK(progress(Source::daytime, "\r\n") == Progress::incomplete);
    CHECK(progress(Source::daytime, "\r\nFri Jan 15") == Progress::incomplete);
    CHECK(progress(Source::daytime, "Fri Jan 15\r") == Progress::enough);
    CHECK(progress(Source::daytime, "\nFri Jan 15\n") == Progress::enough);
    CHECK(progress(Source::daytime, "Fri\nJan") == Progress::enough);
    CHECK(progress(Source::daytime_udp, "Fri") == Progress::complete);
}

TEST_CASE("a packet of NTP is interpreted") {
    std::string packet(sntp_packet_size, '\0');
    packet.replace(0, 4, std::string_view{"\x24\x02\0\xe9", 4});
    for (const std::size_t timestamp : {32U, 40U})
        packet.replace(timestamp, 4, time_bytes(now + 3));
    const auto result = answer(Source::ntp, packet);
    REQUIRE(result.reading);
    CHECK(result.reading->offset == 3005ms);
    REQUIRE(result.sntp);
    CHECK(result.sntp->stratum == 2);
    packet[1] = 16;
    const auto lost = answer(Source::ntp, packet);
    CHECK_FALSE(lost.reading);
    CHECK(lost.problem == "its clock is not synchronised");
    REQUIRE(lost.sntp);
    CHECK(lost.sntp->stratum == 16);
    CHECK(problem(Source::ntp, "abc") == "short answer (3 bytes)");
}

TEST_CASE("the Date of a response is interpreted") {
    const auto result = answer(Source::http, response(date));
    REQUIRE(result.reading);
    CHECK(result.reading->said == wall_time(now + 3));
    CHECK(result.reading->error == 505ms);
    // An error and a redirect also have a Date. So does the answer after an interim response.
    CHECK(problem(Source::http, response(date, "404 Not Found")).empty());
    CHECK(problem(Source::http, response(date, "301 Moved") + "<html>").empty());
    CHECK(problem(Source::http, response("", "103 Early Hints") + response(date)).empty());
    CHECK(problem(Source::http, response("Server: x\r\ndate: Friday, 15-Jan-27 08:00:03 GMT\r\n"))
              .empty());

    // This answer comes from a cache, and is some time old.
    CHECK(problem(Source::http, response(std::string{date} + "Age: 300\r\n")) ==
          "its answer is a cache's");
    CHECK(problem(Source::http, response(std::string{date} + "Age: 0\r\n")).empty());

    CHECK(problem(Source::http, response("Server: x\r\n")) == "its answer has no Date");
    CHECK(problem(Source::http, response("Date: today\r\n")) == "cannot understand its Date");
    CHECK(problem(Source::http, response("Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n")) ==
          "cannot understand its Date");
    CHECK(problem(Source::http, "SSH-2.0-OpenSSH_9.2\r\n") == "not HTTP");
    CHECK(problem(Source::http, "HTTP/1.1 no\r\n\r\n") == "not HTTP");
    CHECK(problem(Source::http, "H") == "short answer (1 byte)");
    CHECK(problem(Source::http, "HTTP/1.1 200 OK\r\n") == "short answer (17 bytes)");
}

TEST_CASE("a sloppy Date is read, since a clock with one is a clock anyway") {
    for (const auto* text : {"Fri, 15 Jan 2027 08:00:03 UTC", "Fri, 15 Jan 2027 08:00:03 +0000",
                             "Fri, 15 Jan 2027 08:00:03 gmt", "fri, 15 jan 2027 8:00:03 GMT",
                             "Fri, 15 Jan 2027 09:00:03 +0100", "Fri, 15 Jan 2027 08:00:03",
                             "15 Jan 2027 08:00:03 GMT", "Fri 15 Jan 2027 08:00:03 GMT",
                             "Friday, 15-Jan-27 08:00:03 UTC", "Fri, 15-Jan-2027 08:00:03 GMT",
                             "Fri Jan 15 08:00:03 2027", "Fri Jan 15 08:00:03 UTC 2027",
                             "2027-01-15T08:00:03Z", "2027-01-15 08:00:03"}) {
        const auto result = answer(Source::http, response("Date: " + std::string{text} + "\r\n"));
        REQUIRE_MESSAGE(result.reading, text);
        CHECK_MESSAGE(result.reading->said == wall_time(now + 3), text);
        CHECK(result.daytime->states_zone);
    }
    // The day has only one digit.
    CHECK(answer(Source::http, response("Date: Sun, 6 Nov 1994 08:49:37 GMT\r\n")).reading->said ==
          wall_time(784'111'777));
}

TEST_CASE(
    "NIST's digits for its health and for a leap second are reported, and make the error larger") {
    const auto nist = [](std::string_view digits) {
        return answer(Source::daytime,
                      "61420 27-01-15 08:00:03 " + std::string{digits} + " 713.5 UTC(NIST) *\r\n");
    };
    const auto healthy = nist("00 0 0");
    REQUIRE(healthy.reading);
    CHECK(healthy.reading->error == 505ms);
    CHECK(healthy.leap == Leap::none);
    CHECK(healthy.daytime->health == 0U);
    CHECK(nist("00 1 0").leap == Leap::insert);
    CHECK(nist("50 2 0").leap == Leap::remove);
    CHECK(nist("00 0 1").daytime->health == 1U);
    CHECK(nist("00 0 1").reading->error == 5505ms);
    for (const auto* digits : {"00 0 2", "00 0 3", "00 0 4", "00 0 9"})
        CHECK(nist(digits).reading->error == 1h + 505ms);
}

TEST_CASE("a response is complete with the end of its head") {
    const auto whole = response(date);
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(progress(Source::http, whole.substr(0, size)) == Progress::incomplete);
    CHECK(progress(Source::http, whole) == Progress::complete);
    CHECK(progress(Source::http, whole + "more") == Progress::complete);
    CHECK(progress(Source::http, response("", "103 Early Hints")) == Progress::incomplete);
    CHECK(progress(Source::http, "HTTP/2") == Progress::incomplete);
    CHECK(progress(Source::http, "SSH-2.0") == Progress::complete);
}

TEST_CASE("a datagram answers a question, or is malformed or forged") {
    CHECK(match_of(Source::time_udp, "1234", 0) == Match::answer);
    CHECK(match_of(Source::time_udp, "123", 0) == Match::malformed);
    CHECK(match_of(Source::time_udp, "12345", 0) == Match::malformed);
    CHECK(match_of(Source::daytime_udp, "noon", 0) == Match::answer);
    CHECK(match_of(Source::daytime_udp, "", 0) == Match::malformed);
    // The server returns the nonce as the originate timestamp.
    auto answer = question(Source::ntp, {}, 7);
    CHECK(match_of(Source::ntp, answer.substr(1), 7) == Match::malformed);
    CHECK(match_of(Source::ntp, answer, 7) == Match::forged);
    answer.replace(24, 8, answer.substr(40));
    CHECK(match_of(Source::ntp, answer, 7) == Match::answer);
    CHECK(match_of(Source::ntp, answer, 8) == Match::forged);
}
