#include "server/access_rules.h"

#include <cstring>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;

namespace {

net::Address at(std::string_view ip) {
    return net::Address::parse_ip(ip, 1234).value();
}

// "allow 3", "deny 1", "none"
std::string verdict(const server::AccessRules& rules, const net::Address& client) {
    const auto* rule = rules.match(client);
    if (rule == nullptr) return "none";
    return fmt::format("{} {}", rule->allow ? "allow" : "deny", rule->line);
}

std::string wrong(std::string_view text) {
    try {
        (void)server::AccessRules::parse(text, "rules");
    } catch (const server::RulesError& error) {
        return error.what();
    }
    return "right";
}

} // namespace

TEST_CASE("the first rule that matches decides") {
    const auto rules = server::AccessRules::parse("# the office\n"
                                                  "deny 192.0.2.66\n"
                                                  "\n"
                                                  "allow 192.0.2.0/24 # all others in it\n"
                                                  "  allow\t2001:db8::/32  \r\n"
                                                  "deny 2000::/3\n"
                                                  "allow 10.0.0.0/7\n"
                                                  "allow 203.0.113.5/32",
                                                  "rules");
    CHECK(verdict(rules, at("192.0.2.66")) == "deny 2");
    CHECK(verdict(rules, at("192.0.2.67")) == "allow 4");
    CHECK(verdict(rules, at("192.0.3.0")) == "none");
    CHECK(verdict(rules, at("2001:db8:1::1")) == "allow 5");
    CHECK(verdict(rules, at("2001:db9::")) == "deny 6");
    CHECK(verdict(rules, at("4000::")) == "none");
    CHECK(verdict(rules, at("10.1.1.1")) == "allow 7");
    CHECK(verdict(rules, at("11.255.255.255")) == "allow 7");
    CHECK(verdict(rules, at("12.0.0.0")) == "none");
    CHECK(verdict(rules, at("203.0.113.5")) == "allow 8");
    CHECK(verdict(rules, at("203.0.113.4")) == "none");
    CHECK(verdict(rules, net::Address::unix_path("/socket")) == "none");
}

TEST_CASE("a byte order mark before the rules is skipped") {
    const auto rules = server::AccessRules::parse("\xef\xbb\xbf"
                                                  "deny 192.0.2.66\n"
                                                  "allow all\n",
                                                  "rules");
    CHECK(verdict(rules, at("192.0.2.66")) == "deny 1");
    CHECK(verdict(rules, at("192.0.2.67")) == "allow 2");
}

TEST_CASE("a rule for all lets everybody in, and no rule lets nobody in") {
    const auto all = server::AccessRules::parse("allow all", "rules");
    for (const auto& client :
         {at("192.0.2.1"), at("::1"), net::Address::unix_path("@name"), net::Address{}})
        CHECK(verdict(all, client) == "allow 1");
    for (const auto* text : {"", "\n\n", "# allow all", "   "})
        CHECK(verdict(server::AccessRules::parse(text, "rules"), at("127.0.0.1")) == "none");
    CHECK(verdict(server::AccessRules{}, at("127.0.0.1")) == "none");
    const auto four = server::AccessRules::parse("allow 0.0.0.0/0", "rules");
    CHECK(verdict(four, at("192.0.2.1")) == "allow 1");
    CHECK(verdict(four, at("::1")) == "none");
    CHECK(verdict(four, net::Address::unix_path("@name")) == "none");
}

TEST_CASE("a client of a dual-stack socket is the IPv4 address that it has") {
    const auto rules = server::AccessRules::parse("allow 192.0.2.1", "rules");
    CHECK(verdict(rules, at("::ffff:192.0.2.1")) == "allow 1");
    CHECK(verdict(server::AccessRules::parse("allow ::ffff:192.0.2.1", "rules"), at("192.0.2.1")) ==
          "allow 1");
    const auto network = server::AccessRules::parse("allow ::ffff:192.0.2.0/120", "rules");
    CHECK(verdict(network, at("192.0.2.7")) == "allow 1");
    CHECK(verdict(network, at("192.0.3.7")) == "none");
}

TEST_CASE("a rule may have a limit and variables") {
    const auto rules =
        server::AccessRules::parse("allow all limit 10 set A=1 set B=\"two words # no comment\" "
                                   "set C= set D=\"\" set _e2=x=y#z # a comment",
                                   "rules");
    const auto* rule = rules.match(at("127.0.0.1"));
    REQUIRE(rule != nullptr);
    CHECK(rule->limit == 10U);
    REQUIRE(rule->variables.size() == 5);
    CHECK(rule->variables[0].name == "A");
    CHECK(rule->variables[0].value == "1");
    CHECK(rule->variables[1].value == "two words # no comment");
    CHECK(rule->variables[2].value.empty());
    CHECK(rule->variables[3].value.empty());
    CHECK(rule->variables[4].name == "_e2");
    CHECK(rule->variables[4].value == "x=y#z");
    CHECK_FALSE(server::AccessRules::parse("allow all", "rules").match(net::Address{})->limit);
}

TEST_CASE("an error names the wrong word and its place") {
    CHECK(wrong("allow all\n\n  permit all") == "rules:3:3: expected allow or deny");
    constexpr auto who = "expected all, an IP address, or a network like 192.0.2.0/24";
    CHECK(wrong("allow") == fmt::format("rules:1:6: {}", who));
    CHECK(wrong("allow # all") == fmt::format("rules:1:7: {}", who));
    for (const auto* text : {"localhost", "192.0.2", "192.0.2.1.", "[::1]", "::1%lo", "/8", "ALL"})
        CHECK(wrong(fmt::format("allow {}", text)) == fmt::format("rules:1:7: {}", who));
    for (const auto* bits : {"33", "-1", "", "8/8", "x", "+8", "4294967296"})
        CHECK(wrong(fmt::format("allow 0.0.0.0/{}", bits)) ==
              "rules:1:7: expected a prefix length from 0 to 32");
    CHECK(wrong("deny ::/129") == "rules:1:6: expected a prefix length from 0 to 128");
    CHECK(wrong("allow 10.0.0.1/8") ==
          "rules:1:7: expected a network: 10.0.0.1 has bits set after the first 8");
    CHECK(wrong("allow 2001:db8::1/127") ==
          "rules:1:7: expected a network: 2001:db8::1 has bits set after the first 127");
    CHECK(wrong("allow ::ffff:0.0.0.0/95") == "rules:1:7: expected a prefix length from 0 to 32");
    CHECK(wrong("allow all 10") ==
          "rules:1:11: expected limit N, set NAME=VALUE, or the end of the line");
    CHECK(wrong("deny all limit 1") ==
          "rules:1:10: expected the end of the line: limit and set are for allow");
    for (const auto* text : {"allow all limit 0", "allow all limit -1", "allow all limit x",
                             "allow all limit 4294967296"})
        CHECK(wrong(text) == "rules:1:17: expected a number from 1");
    CHECK(wrong("allow all limit") == "rules:1:16: expected a number from 1");
    CHECK(wrong("allow all limit 1 limit 2") == "rules:1:19: expected one limit only");
    for (const auto* text : {"NAME", "=x", "1A=x", "A-B=x", "A = x", "\"A=x\""})
        CHECK(wrong(fmt::format("allow all set {}", text)) == "rules:1:15: expected NAME=VALUE");
    CHECK(wrong("allow all set") == "rules:1:14: expected NAME=VALUE");
    CHECK(wrong("allow all set A=\"x y") == "rules:1:17: expected a closing quote");
    CHECK(wrong("allow all set A=\"x\"y") ==
          "rules:1:20: expected a blank after the closing quote");
    CHECK(wrong("allow all set A=x\"y\"") == "rules:1:17: expected quotes around the whole value");
    CHECK(wrong({"allow all\nallow all set A=\0", 27}) == "rules:2:17: expected text");
}

TEST_CASE("an error has its line and column") {
    try {
        (void)server::AccessRules::parse("allow all\ndeny x", "rules");
        FAIL("it is right");
    } catch (const server::RulesError& error) {
        CHECK(error.line() == 2);
        CHECK(error.column() == 6);
    }
}
