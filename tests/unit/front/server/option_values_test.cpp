#include "front/server/option_values.h"

#include <chrono>
#include <doctest/doctest.h>
#include <stdexcept>
#include <sys/resource.h>

namespace front = ipcbox::front;
using namespace std::chrono_literals;

namespace {

// Why PARSER refuses TEXT.
template <typename Parser> std::string refusal(Parser parser, const char* text) {
    try {
        (void)parser(text);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "accepted";
}

} // namespace

TEST_CASE("a rate is a number and a duration") {
    const auto rate = front::parse_rate("10/1m");
    CHECK(rate.count == 10);
    CHECK(rate.period == 1min);
    CHECK(refusal(front::parse_rate, "10") == "expected a number and a duration, such as 10/1s");
    for (const auto* text : {"", "/", "0/1s", "10/", "10/0", "/1s", "-1/1s"})
        CHECK_MESSAGE(refusal(front::parse_rate, text) != "accepted", text);
}

TEST_CASE("a limit for a network has a length for IPv4 and one for IPv6") {
    const auto plain = front::parse_per_network("4");
    CHECK(plain.max == 4);
    CHECK(plain.bits_4 == 32);
    CHECK(plain.bits_6 == 64);
    const auto both = front::parse_per_network("5/24/56");
    CHECK(both.max == 5);
    CHECK(both.bits_4 == 24);
    CHECK(both.bits_6 == 56);
    CHECK(front::parse_per_network("5/0").bits_4 == 0);
    for (const auto* text : {"", "0", "/24", "4/", "4/33", "4/24/", "4/24/129", "4/24/56/1"})
        CHECK_MESSAGE(refusal(front::parse_per_network, text) != "accepted", text);
}

TEST_CASE("a resource has the name that prlimit gives it") {
    const auto files = front::parse_resource_limit("nofile=64");
    CHECK(files.resource == RLIMIT_NOFILE);
    CHECK(files.max == 64);
    CHECK(front::parse_resource_limit("core=unlimited").max == RLIM_INFINITY);
    CHECK(front::parse_resource_limit("as=1G").max == 1UL << 30U);
    CHECK(front::resource_name(RLIMIT_NOFILE) == "nofile");
    CHECK(front::resource_name(-1) == "?");
    for (const auto* text : {"", "nofile", "files=1", "nofile=", "nofile=many"})
        CHECK_MESSAGE(refusal(front::parse_resource_limit, text) != "accepted", text);
}

TEST_CASE("a client is a numeric address") {
    CHECK(front::parse_client("::ffff:192.0.2.7").host() == "192.0.2.7");
    CHECK(refusal(front::parse_client, "localhost") == "expected an IP address");
}

TEST_CASE("the owner of a socket can be a user, a group or both") {
    CHECK(front::parse_socket_owner("root").user == 0U);
    const auto both = front::parse_socket_owner("33:34");
    CHECK(both.user == 33U);
    CHECK(both.group == 34U);
    const auto group = front::parse_socket_owner(":root");
    CHECK_FALSE(group.user);
    CHECK(group.group == 0U);
    CHECK(refusal(front::parse_socket_owner, ":no-such-group") == "there is no such group");
}
