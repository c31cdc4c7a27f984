#include "cluster/token_entry.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox::cluster;
using namespace std::chrono_literals;

namespace {

std::chrono::system_clock::time_point at(std::int64_t seconds) {
    return std::chrono::system_clock::time_point{std::chrono::seconds{seconds}};
}

} // namespace

TEST_CASE("an entry comes back as it was written") {
    const TokenEntry entry{"web3", 812, "root", "make", 1'000'000, TokenEntry::State::held};
    CHECK(entry.json() == R"({"host":"web3","pid":812,"user":"root","command":"make",)"
                          R"("since":1000000,"state":"held"})");
    const auto read = TokenEntry::parse(entry.json());
    REQUIRE(read);
    CHECK(read->text(at(1'000'192)) == "web3:812 (make, root, 3m12s)");
    CHECK(read->state == TokenEntry::State::held);
}

TEST_CASE("an entry of a token that is kept for another process names the keeper") {
    TokenEntry entry{"web3", 812, "root", "make", 1'000'000, TokenEntry::State::held, 900};
    CHECK(entry.json().ends_with(R"(,"state":"held","keeper":900})"));
    CHECK(TokenEntry::parse(entry.json())->keeper == 900);
    CHECK_FALSE(entry.is_of_this_host());
    CHECK(TokenEntry::ours("make").is_of_this_host());
}

TEST_CASE("the holder's clock may be ahead of ours") {
    const TokenEntry entry{"web3", 812, "root", "make", 2'000'000, TokenEntry::State::held};
    CHECK(entry.text(at(1'000'000)) == "web3:812 (make, root, 0s)");
}

TEST_CASE("names of any bytes come back, and none of them drives a terminal") {
    const TokenEntry entry{"a\"\\b", 1, "\x1b[2J", "m\xe4ke\n", 1, TokenEntry::State::waits};
    const auto read = TokenEntry::parse(entry.json());
    REQUIRE(read);
    CHECK(read->host == entry.host);
    CHECK(read->user == entry.user);
    CHECK(read->command == entry.command);
    CHECK(read->text(at(1)) == "a\"\\b:1 (m?ke?, ?[2J, 0s)");
    const TokenEntry endless{std::string(5000, 'x'), 1, "", "", 1, TokenEntry::State::waits};
    CHECK(endless.text(at(1)).size() < 200);
}

TEST_CASE("members that another version has added are skipped") {
    const auto read = TokenEntry::parse(R"( { "new" : true , "pid":7,"host":"h","n":null } )");
    REQUIRE(read);
    CHECK(read->pid == 7);
    CHECK(read->host == "h");
}

TEST_CASE("a text that is not an entry is refused") {
    for (const auto* const text :
         {"", "x", "{", "[]", R"({"host")", R"({"host":)", R"({"host":"a)", R"({"host":"\u00)",
          R"({"host":"a\)", R"({1:2})", R"({"a":{"b":1}})", "\"", "{,}"}) {
        CAPTURE(text);
        CHECK(!TokenEntry::parse(text));
    }
}

TEST_CASE("our own entry names the program without its path and arguments") {
    const auto entry = TokenEntry::ours("/usr/bin/make");
    CHECK(entry.command == "make");
    CHECK(entry.pid == ::getpid());
    CHECK(!entry.host.empty());
    CHECK(entry.since > 1'600'000'000);
}
