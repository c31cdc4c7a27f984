#include "cli/values.h"

#include "core/error.h"

#include <csignal>
#include <doctest/doctest.h>
#include <stdexcept>
#include <sys/ipc.h>

using namespace ipcbox;
using namespace std::chrono_literals;

TEST_CASE("durations have units, and are seconds without one") {
    CHECK(cli::parse_duration("0.25") == 250ms);
    CHECK(cli::parse_duration("500ms") == 500ms);
    CHECK(cli::parse_duration("10s") == 10s);
    CHECK(cli::parse_duration("2m") == 2min);
    CHECK(cli::parse_duration("1h") == 1h);
    CHECK(cli::parse_duration("1d") == 24h);
    CHECK(cli::parse_duration("1w") == 7 * 24h);
    CHECK(cli::parse_duration("99999999999d") == Duration::max());
    for (const char* wrong : {"", "s", "-1", "1x", "1 s", "1.2.3", "-inf", "nan", "1e", ".", ".s"})
        CHECK_THROWS_AS((void)cli::parse_duration(wrong), std::invalid_argument);
}

TEST_CASE("a duration may be the sum of several units, the longest first") {
    CHECK(cli::parse_duration("1h30m") == 90min);
    CHECK(cli::parse_duration("1w2d3h4m5s6ms7us") ==
          9 * 24h + 3h + 4min + 5s + 6ms + std::chrono::microseconds{7});
    CHECK(cli::parse_duration("1m0.5s") == 60500ms);
    CHECK(cli::parse_duration("99999999999d1s") == Duration::max());
    // Every number needs a unit if there is more than one.
    for (const char* wrong : {"1h30", "30m1h", "1h1h", "1h 30m", "1h-30m", "1hm", "1h30m,", "h30m"})
        CHECK_THROWS_WITH_AS((void)cli::parse_duration(wrong),
                             "expected a duration such as 0.25, 500ms, 10s, 2m, 1h30m, 1d or 1w",
                             std::invalid_argument);
}

TEST_CASE("a positive duration is not 0") {
    CHECK(cli::parse_positive_duration("1us") == std::chrono::microseconds{1});
    CHECK(cli::parse_positive_duration("1h30m") == 90min);
    CHECK(cli::parse_positive_duration("0.0000000001") == std::chrono::nanoseconds{1});
    for (const char* wrong : {"0", "0s", "0.0", "0h0m"})
        CHECK_THROWS_WITH_AS((void)cli::parse_positive_duration(wrong),
                             "expected a duration above 0", std::invalid_argument);
    CHECK_THROWS_AS((void)cli::parse_positive_duration("x"), std::invalid_argument);
}

TEST_CASE("a time limit of 0 is no limit") {
    CHECK(cli::parse_time_limit("0") == Duration::max());
    CHECK(cli::parse_time_limit("0s") == Duration::max());
    CHECK(cli::parse_time_limit("5s") == 5s);
    CHECK(Deadline::after(cli::parse_time_limit("0")).is_never());
    CHECK_THROWS_AS((void)cli::parse_time_limit("-1"), std::invalid_argument);
}

TEST_CASE("offsets are durations with a sign") {
    CHECK(cli::parse_offset("-3600") == -1h);
    CHECK(cli::parse_offset("+0.5") == 500ms);
    CHECK(cli::parse_offset("90m") == 90min);
    CHECK(cli::parse_offset("-1h30m") == -90min);
    CHECK(cli::parse_offset("-36500d") == -24h * 36500);
    for (const char* wrong : {"", "-", "--1", "+-1", "- 1", "x", "99999999999d", "-101y", "36600d"})
        CHECK_THROWS_AS((void)cli::parse_offset(wrong), std::invalid_argument);
}

TEST_CASE("sizes are bytes, in powers of 1024") {
    CHECK(cli::parse_size("0") == 0);
    CHECK(cli::parse_size("4096") == 4096);
    CHECK(cli::parse_size("4K") == 4096);
    CHECK(cli::parse_size("4k") == 4096);
    CHECK(cli::parse_size("1g") == cli::parse_size("1G"));
    CHECK(cli::parse_size("2M") == 2097152);
    CHECK(cli::parse_size("1G") == 1073741824);
    CHECK(cli::parse_size("1T") == 1099511627776);
    CHECK(cli::parse_size("18446744073709551615") == 18446744073709551615U);
    CHECK(cli::parse_size("16777215T") == 16777215UL << 40U);
    for (const char* wrong : {"", "K", "-1", "+1", "1.5K", "1KB", "1 K", "0x10", "1E", " 1",
                              "18446744073709551616", "16777216T"})
        CHECK_THROWS_AS((void)cli::parse_size(wrong), std::invalid_argument);
}

TEST_CASE("numbers are decimal and within their limits") {
    const auto parse = cli::number_between(-1, 255);
    CHECK(parse("-1") == -1);
    CHECK(parse("0") == 0);
    CHECK(parse("007") == 7);
    CHECK(parse("255") == 255);
    for (const char* wrong :
         {"", "-2", "256", "1x", "x1", " 1", "1 ", "+1", "0x1", "1.0", "99999999999999999999"})
        CHECK_THROWS_WITH_AS((void)parse(wrong), "expected a number from -1 to 255",
                             std::invalid_argument);
}

TEST_CASE("modes are octal") {
    CHECK(cli::parse_mode("600") == 0600);
    CHECK(cli::parse_mode("0640") == 0640);
    CHECK(cli::parse_mode("0") == 0);
    CHECK(cli::parse_mode("777") == 0777);
    for (const char* wrong : {"", "8", "1000", "-1", "0o600", "u+r", "600 "})
        CHECK_THROWS_AS((void)cli::parse_mode(wrong), std::invalid_argument);
}

TEST_CASE("signals have names, numbers and places in the real-time range") {
    CHECK(cli::parse_signal("TERM") == SIGTERM);
    CHECK(cli::parse_signal("SIGTERM") == SIGTERM);
    CHECK(cli::parse_signal("term") == SIGTERM);
    CHECK(cli::parse_signal("15") == 15);
    CHECK(cli::parse_signal("KILL") == SIGKILL);
    CHECK(cli::parse_signal("RTMIN") == SIGRTMIN);
    CHECK(cli::parse_signal("RTMIN+3") == SIGRTMIN + 3);
    CHECK(cli::parse_signal("RTMAX-1") == SIGRTMAX - 1);
    CHECK(cli::parse_signal("64") == 64);
    for (const char* wrong : {"", "SIG", "0", "65", "-1", "NOSUCH", "SIGSIGTERM", "RTMIN+",
                              "RTMIN+99", "RTMAX+1", "RTMIN-1", "15x", "TERM "})
        CHECK_THROWS_AS((void)cli::parse_signal(wrong), std::invalid_argument);
}

TEST_CASE("ports are numbers or services") {
    CHECK(cli::parse_port("0") == 0);
    CHECK(cli::parse_port("8080") == 8080);
    CHECK(cli::parse_port("65535") == 65535);
    CHECK(cli::parse_port("daytime") == 13);
    CHECK(cli::parse_port("time") == 37);
    CHECK(cli::parse_port("http") == 80);
    CHECK(cli::parse_port("https") == 443);
    for (const char* wrong : {"", "65536", "-1", "80/tcp", "no-such-service", " 80", "#", "\n"})
        CHECK_THROWS_AS((void)cli::parse_port(wrong), std::invalid_argument);
}

TEST_CASE("an owner is a user and perhaps a group") {
    const auto root = cli::parse_owner("root");
    CHECK(root.uid == 0);
    CHECK(root.gid == 0);
    CHECK(root.name == "root");
    const auto numbers = cli::parse_owner("4242:4343");
    CHECK(numbers.name.empty());
    CHECK(cli::parse_owner("0").name == "root");
    CHECK(numbers.uid == 4242);
    CHECK(numbers.gid == 4343);
    const auto mixed = cli::parse_owner("root:4343");
    CHECK(mixed.uid == 0);
    CHECK(mixed.gid == 4343);
    CHECK(cli::parse_owner("4242:root").gid == 0);
    CHECK(cli::parse_owner("0").gid == 0); // the user's own group
    for (const char* wrong : {"", ":", "root:", ":root", "no-such-user", "root:no-such-group",
                              "4000000000", "-1", "-1:0", "root:-1", "99999999999:0"})
        CHECK_THROWS_AS((void)cli::parse_owner(wrong), std::invalid_argument);
    // For chown(2) and setuid(2), (uid_t)-1 means "leave it unchanged".
    CHECK_THROWS_AS((void)cli::parse_owner("4294967295:0"), std::invalid_argument);
    CHECK_THROWS_AS((void)cli::parse_owner("0:4294967295"), std::invalid_argument);
}

TEST_CASE("durations round to what the clock can tell") {
    CHECK(cli::parse_duration("0") == 0s);
    CHECK(cli::parse_duration("1us") == 1us);
    CHECK(cli::parse_duration("0.000000001") == 1ns);
    CHECK(cli::parse_duration(".5") == 500ms);
    CHECK(cli::parse_duration("1.5m") == 90s);
}
