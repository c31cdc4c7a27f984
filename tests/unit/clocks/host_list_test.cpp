#include "clocks/host_list.h"

#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::clocks;

namespace {

// "NAME" or "NAME PORT"
std::string parsed(std::string_view text) {
    const auto host = parse_host(text);
    CHECK(host.text == text);
    return host.port ? host.name + ' ' + std::to_string(*host.port) : host.name;
}

using Texts = std::vector<std::string>;

struct List {
    Texts hosts;
    Texts problems;
};
List list(std::string_view text) {
    List list;
    for (const auto& host :
         parse_host_list(text, [&list](const std::string&line, const std::string&reason) {
             list.problems.push_back(line + ": " + reason);
         }))
        list.hosts.push_back(host.text);
    return list;
}

Texts network(std::string_view cidr, std::uint64_t most = 65536) {
    Texts texts;
    for (const auto& host : hosts_of_network(cidr, most)) {
        CHECK(host.name == host.text);
        CHECK_FALSE(host.port);
        texts.push_back(host.text);
    }
    return texts;
}

} // namespace

TEST_CASE("a host may have a port") {
    CHECK(parsed("time.example.com") == "time.example.com");
    CHECK(parsed("time_1.example-2.com.") == "time_1.example-2.com.");
    CHECK(parsed("time.example.com:37") == "time.example.com 37");
    CHECK(parsed("localhost:http") == "localhost 80");
    CHECK(parsed("192.0.2.1") == "192.0.2.1");
    CHECK(parsed("192.0.2.1:37") == "192.0.2.1 37");
    CHECK(parsed("2001:db8::1") == "2001:db8::1");
    CHECK(parsed("[2001:db8::1]") == "2001:db8::1");
    CHECK(parsed("[2001:db8::1]:time") == "2001:db8::1 37");
    CHECK(parsed("fe80::1%lo") == "fe80::1%lo");
    CHECK(parsed("[fe80::1%lo]:65535") == "fe80::1%lo 65535");
    CHECK(parsed(std::string(253, 'x')) == std::string(253, 'x'));
}

TEST_CASE("a text that is not a host is refused") {
    for (const auto* text :
         {"", " ", "a b", "a/b", "http://example.com", "a:b:c", "host:", ":37", "host:65536",
          "host:-1", "host:no-such-service", "[host", "user@host", "caf\xc3\xa9.example", "a\nb",
          "::1%no-such-interface", "[fe80::1%no-such-interface]:37", "192.0.2.1%lo"})
        CHECK_THROWS_AS((void)parse_host(text), std::invalid_argument);
    CHECK_THROWS_AS((void)parse_host({"a\0b", 3}), std::invalid_argument);
    CHECK_THROWS_AS((void)parse_host(std::string(254, 'x')), std::invalid_argument);
    CHECK_THROWS_WITH((void)parse_host("host:0"), "expected a port from 1 to 65535");
    CHECK_THROWS_WITH((void)parse_host("a,b"),
                      "expected a host: an address, or a name of at most 253 letters, digits, "
                      "dots, hyphens and underscores");
}

TEST_CASE("a list has a host on a line") {
    const auto all = list("one\n  two:37\t# the second\r\n\r\n# three\n\n[::1]:37\nlast");
    CHECK(all.hosts == Texts{"one", "two:37", "[::1]:37", "last"});
    CHECK(all.problems.empty());
    CHECK(list("").hosts.empty());
    CHECK(list("\n\n#").hosts.empty());
    CHECK(list("same\nsame\n").hosts == Texts{"same", "same"});
}

TEST_CASE("a host can have a label before it") {
    const auto host = parse_host("db-1=[2001:db8::1]:37");
    CHECK(host.label == "db-1");
    CHECK(host.called() == "db-1");
    CHECK(host.text == "[2001:db8::1]:37");
    CHECK(host.name == "2001:db8::1");
    CHECK(host.port == 37);
    CHECK(parse_host("a").called() == "a");
    CHECK(list("web=a\n  db=b:37 # second\n").hosts == Texts{"a", "b:37"});
    for (const auto* text : {"=a", "a=", "a b=c", "a=b=c", "'x'=a", "a|b=c"})
        CHECK_THROWS_AS((void)parse_host(text), std::invalid_argument);
}

TEST_CASE("a byte order mark before a list of hosts is skipped") {
    const auto all = list("\xef\xbb\xbfone\ntwo\n");
    CHECK(all.hosts == Texts{"one", "two"});
    CHECK(all.problems.empty());
}

TEST_CASE("of a list, the bad lines are named and the others taken") {
    using namespace std::string_literals;
    const auto all = list("one\n\ntwo three\nf\0ur\n"s + std::string(1025, 'x') + "\nsix#" +
                          std::string(2000, 'x') + "\n" + std::string(300, 'y') + "\n\x1b[1m\n");
    CHECK(all.hosts == Texts{"one", "six"});
    const auto expected = "expected a host: an address, or a name of at most 253 letters, digits, "
                          "dots, hyphens and underscores"s;
    CHECK(all.problems == Texts{"line 3: 'two three': " + expected,
                                "line 4: it has control characters",
                                "line 5: it is longer than 1024 bytes",
                                "line 7: '" + std::string(40, 'y') + "...': " + expected,
                                "line 8: it has control characters"});
}

TEST_CASE("a long bad line is cut behind a whole character") {
    const auto line = std::string(39, 'x') + "\xc3\xa9\xc3\xa9";
    const auto all = list(line);
    REQUIRE(all.problems.size() == 1);
    CHECK(all.problems.front().starts_with("line 1: '" + std::string(39, 'x') + "...': "));
}

TEST_CASE("the hosts of an IPv4 network are those between its first and last address") {
    CHECK(network("192.0.2.0/30") == Texts{"192.0.2.1", "192.0.2.2"});
    CHECK(network("192.0.2.0/31") == Texts{"192.0.2.0", "192.0.2.1"});
    CHECK(network("192.0.2.7/32") == Texts{"192.0.2.7"});
    // Bits of the host may be set, as for fping(8).
    CHECK(network("192.0.2.77/30") == Texts{"192.0.2.77", "192.0.2.78"});
    const auto many = network("10.1.77.77/16");
    REQUIRE(many.size() == 65534);
    CHECK(many.front() == "10.1.0.1");
    CHECK(many[254] == "10.1.0.255");
    CHECK(many[255] == "10.1.1.0");
    CHECK(many.back() == "10.1.255.254");
    CHECK(network("255.255.255.254/31") == Texts{"255.255.255.254", "255.255.255.255"});
}

TEST_CASE("all addresses of an IPv6 network are hosts") {
    CHECK(network("2001:db8::/127") == Texts{"2001:db8::", "2001:db8::1"});
    CHECK(network("2001:db8::1/128") == Texts{"2001:db8::1"});
    CHECK(network("2001:db8::ffff/126") ==
          Texts{"2001:db8::fffc", "2001:db8::fffd", "2001:db8::fffe", "2001:db8::ffff"});
    const auto many = network("2001:db8::1:2345/111", 131072);
    REQUIRE(many.size() == 131072);
    CHECK(many.front() == "2001:db8::");
    CHECK(many[65536] == "2001:db8::1:0");
    CHECK(many.back() == "2001:db8::1:ffff");
}

TEST_CASE("the hosts of a range are those from its first to its last address") {
    CHECK(network("192.0.2.254-192.0.3.1") ==
          Texts{"192.0.2.254", "192.0.2.255", "192.0.3.0", "192.0.3.1"});
    CHECK(network("192.0.2.7-192.0.2.7") == Texts{"192.0.2.7"});
    CHECK(network("2001:db8::ffff-2001:db8::1:1") ==
          Texts{"2001:db8::ffff", "2001:db8::1:0", "2001:db8::1:1"});
    CHECK(network("10.0.0.0-10.0.0.255").size() == 256);
    for (const auto* text : {"192.0.2.9-192.0.2.1", "192.0.2.1-", "-192.0.2.1", "a-b",
                             "192.0.2.1-2001:db8::1", "192.0.2.1-192.0.2.9-192.0.2.10",
                             "192.0.2.1-192.0.2.0/24", "10.0.0.0-11.0.0.0", "::-ffff::"})
        CHECK_THROWS_AS_MESSAGE((void)hosts_of_network(text, 65536), std::invalid_argument, text);
    CHECK_THROWS_WITH((void)hosts_of_network("10.0.0.0-10.0.0.9", 9),
                      "expected at most 9 addresses (--max), and 10.0.0.0-10.0.0.9 has 10");
}

TEST_CASE("a network has a limit") {
    const auto refusal = [](std::string_view cidr, std::uint64_t most) {
        try {
            (void)hosts_of_network(cidr, most);
        } catch (const std::invalid_argument& wrong) {
            return std::string{wrong.what()};
        }
        return std::string{};
    };
    CHECK(refusal("10.0.0.0/8", 65536) ==
          "expected at most 65536 addresses (--max), and 10.0.0.0/8 has 16777214");
    CHECK(refusal("0.0.0.0/0", 65536) ==
          "expected at most 65536 addresses (--max), and 0.0.0.0/0 has 4294967294");
    CHECK(refusal("::/65", 65536) ==
          "expected at most 65536 addresses (--max), and ::/65 has 9223372036854775808");
    constexpr auto all = std::numeric_limits<std::uint64_t>::max();
    CHECK(refusal("::/64", all) ==
          "expected at most 18446744073709551615 addresses (--max), and ::/64 has 2^64");
    CHECK(refusal("::/0", 1).ends_with("::/0 has 2^128"));
    CHECK(refusal("192.0.2.0/30", 2).empty());
    CHECK_FALSE(refusal("192.0.2.0/30", 1).empty());
    CHECK_FALSE(refusal("192.0.2.1/32", 0).empty());
}

TEST_CASE("a text that is not a network is refused") {
    for (const auto* text : {"", "/", "/24", "192.0.2.0", "192.0.2.0/", "192.0.2.0/33",
                             "192.0.2.0/-1", "192.0.2.0/24/24", "192.0.2/24", "localhost/24",
                             "::/129", "[::]/64", "fe80::%lo/64", "192.0.2.0/4294967296"})
        CHECK_THROWS_AS((void)hosts_of_network(text, 65536), std::invalid_argument);
}
