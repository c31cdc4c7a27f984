#include "clocks/time_protocol.h"

#include <doctest/doctest.h>
#include <string>

using namespace ipcbox::clocks;

namespace {

constexpr std::time_t now = 1'800'000'000;  // in January 2027
constexpr std::time_t wrap = 2'085'978'496; // 2036-02-07 at 06:28:16 UTC
constexpr std::time_t era = 1LL << 32;
constexpr std::time_t start_of_1900 = -2'208'988'800;

std::string bytes_of(std::time_t time) {
    const auto bytes = encode_time(time);
    return {bytes.data(), bytes.size()};
}

std::string raw(std::uint32_t seconds) {
    return bytes_of(start_of_1900 + seconds);
}

} // namespace

TEST_CASE("the examples of RFC 868 are understood") {
    CHECK(bytes_of(0) == "\x83\xaa\x7e\x80");
    CHECK(decode_time(raw(2'208'988'800), 0) == 0);           // 1 January 1970
    CHECK(decode_time(raw(2'398'291'200), 0) == 189'302'400); // 1 January 1976
    CHECK(decode_time(raw(2'524'521'600), 0) == 315'532'800); // 1 January 1980
    CHECK(decode_time(raw(2'629'584'000), 0) == 420'595'200); // 1 May 1983
    const std::time_t before = start_of_1900 - 1'297'728'000; // 17 November 1858
    CHECK(decode_time(bytes_of(before), before) == before);
    CHECK(bytes_of(start_of_1900) == std::string(4, '\0'));
}

TEST_CASE("a time after the end of the era belongs to the next one") {
    for (const std::time_t pivot : {now, wrap - 1, wrap, wrap + now}) {
        CHECK(decode_time(raw(0xffff'ffff), pivot) == wrap - 1);
        CHECK(decode_time(raw(0), pivot) == wrap);
        CHECK(decode_time(raw(1), pivot) == wrap + 1);
    }
    CHECK(bytes_of(wrap - 1) == std::string(4, '\xff'));
    CHECK(bytes_of(wrap) == std::string(4, '\0'));
    // The manual page calculates like a pivot in the first era.
    CHECK(decode_time(raw(0), start_of_1900) == start_of_1900);
}

TEST_CASE("a time that was encoded is decoded, in any year whose era is near") {
    const std::time_t times[] = {0,
                                 -1,
                                 1,
                                 2'147'483'647, // 2038-01-19 at 03:14:07, the last of 31 bits
                                 2'147'483'648,
                                 4'294'967'295, // 2106-02-07 at 06:28:15, the last of 32 bits
                                 4'294'967'296,
                                 wrap,
                                 start_of_1900,
                                 now};
    constexpr std::time_t half = era / 2; // 68 years and 18 days
    for (const auto time : times)
        for (const std::time_t wrong :
             {-half + 1, std::time_t{-1}, std::time_t{0}, std::time_t{1}, half - 1, half})
            CHECK(decode_time(bytes_of(time), time + wrong) == time);
}

TEST_CASE("a pivot that is wrong by 68 years or more gives the next era") {
    constexpr std::time_t half = era / 2;
    CHECK(decode_time(bytes_of(now), now + half + 1) == now + era);
    CHECK(decode_time(bytes_of(now), now - half) == now - era);
    CHECK(decode_time(bytes_of(now), now + era) == now + era);
}

TEST_CASE("an answer has four bytes, no more and no less") {
    for (const std::size_t size : {0U, 1U, 3U, 5U, 8U, 1000U})
        CHECK_FALSE(decode_time(std::string(size, '\xee'), now));
}
