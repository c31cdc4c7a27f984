// Broken or hostile servers. Each gets a row with the reason, in time.
#include "harness/clock_answers.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// The row for a server that does WORK, without its name. Only failures have a dash.
std::string row_of(const Peer::Work& work, const Words& options = {"-t", "25s"}) {
    Scenario scenario;
    const Peer server{work};
    Words words{"timecheck"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(server.text());
    const auto result = scenario.run(words);
    const auto rows = rows_of(result.out);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].name == server.text());
    CHECK(result.status == (rows[0].offset() == "-" ? 1 : 0));
    CHECK(result.err.empty());
    return rows[0].offset() == "-" ? rows[0].text() : rows[0].offset();
}

Peer::Work says(const std::string& text) {
    return [text](const Fd& client) { say(client, text); };
}

// Sends TEXT, and then nothing until the client has gone.
Peer::Work says_and_stays(const std::string& text) {
    return [text](const Fd& client) {
        say(client, text);
        (void)receive_all(client);
    };
}

// Whether ROW stands for a server that sends TEXT, and then nothing.
bool is_row_of_silence_after(const std::string& text, const std::string& row) {
    const auto run = [&](const std::string& limit) {
        return row_of(says_and_stays(text), {"-t", limit});
    };
    return with_time_limit(run, [&](const std::string& found) { return found == row; }) == row;
}

} // namespace

TEST_CASE("a name that no host can have is refused") {
    Scenario scenario;
    // Longer than DNS allows (RFC 1035, section 2.3.4), so no server is asked.
    const auto name = std::string(64, 'x') + ".example";
    auto result = scenario.run({"timecheck", name});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() == "no such host");
    // Without name servers, there is no answer.
    result = scenario.run({"timecheck", "-t", "1s", "host.invalid"});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).offset() == "-");
}

TEST_CASE("an answer that is too short is not a time") {
    CHECK(row_of(says("")) == "closed without answering");
    CHECK(row_of(says("abc")) == "short answer (3 bytes)");
    CHECK(row_of(says("a")) == "short answer (1 byte)");
    CHECK(row_of([](const Fd& client) { reset_when_closed(client); }) == "reset");
    CHECK(is_row_of_silence_after("", "timed out"));
    CHECK(is_row_of_silence_after("a", "timed out after 1 byte"));
    CHECK(is_row_of_silence_after("abc", "timed out after 3 bytes"));
}

TEST_CASE("an answer that is too long is not a time") {
    CHECK(row_of(says("abcde")) == "trailing bytes (5 instead of 4)");
    CHECK(row_of(says(std::string(10'000, 'x'))) == "trailing bytes");
    const std::string flood(65536, 'x');
    CHECK(row_of([&flood](const Fd& client) {
              for (;;)
                  say(client, flood); // until the client has gone
          }) == "trailing bytes");
}

TEST_CASE("a server that has sent everything and does not close is understood") {
    CHECK(row_of(says_and_stays(time_bytes_now())) == "0");
    CHECK(row_of([](const Fd& client) {
              say(client, time_bytes_now());
              reset_when_closed(client);
              ::shutdown(client.get(), SHUT_WR);
              (void)receive_all(client);
          }) == "0");
}

TEST_CASE("an answer that comes one byte at a time is understood") {
    CHECK(row_of([](const Fd& client) {
              for (const char byte : time_bytes_now())
                  say(client, {&byte, 1});
          }) == "0");
}

TEST_CASE("many silent hosts at once do not delay each other") {
    Scenario scenario;
    const Peer silent{says_and_stays("")};
    const Peer slow{says_and_stays("x")};
    const Peer closing{says("")};
    const Peer good{[](const Fd& client) { say(client, time_bytes_now()); }};
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run({"timecheck", "-t", limit, silent.text(), slow.text(),
                                 closing.text(), good.text()});
        },
        [](const Result& all) {
            const auto rows = rows_of(all.out);
            return rows.at(1).text() != "timed out" && rows.at(2).text() != "timed out" &&
                   rows.at(3).offset() != "-";
        });
    CHECK(result.status == 1);
    const auto rows = rows_of(result.out);
    REQUIRE(rows.size() == 4);
    CHECK(rows[0].text() == "timed out");
    CHECK(rows[1].text() == "timed out after 1 byte");
    CHECK(rows[2].text() == "closed without answering");
    CHECK(rows[3].offset() == "0");
}

TEST_CASE("a silent source leaves time for the next") {
    Scenario scenario;
    const Peer silent{says_and_stays("")};
    const Peer good{[](const Fd& client) { say(client, time_bytes_now()); }};
    const auto chain =
        fmt::format("time:{},time:{}", silent.address().port(), good.address().port());
    const auto status_with = [&](const Words& limits) {
        Words words{"timecheck", "--via", chain, "127.0.0.1"};
        words.insert(words.end(), limits.begin(), limits.end());
        return scenario.run(words).status;
    };
    const auto is_good = [](int status) { return status == 0; };
    CHECK(is_good(with_time_limit(
        [&](const std::string& limit) {
            return status_with({"-t", limit});
        },
        is_good)));
    CHECK(is_good(with_time_limit(
        [&](const std::string& limit) {
            return status_with({"-T", limit, "-t", "25s"});
        },
        is_good)));
}

TEST_CASE("an HTTP head that never ends is an error") {
    Scenario scenario;
    const auto told = [&](const HttpAnswer& answer) {
        const HttpPeer server{[&answer](const HttpRequest&) { return answer; }};
        const auto result =
            scenario.run({"timecheck", "-t", "25s", "--via", "http:" + server.port(), "127.0.0.1"});
        CHECK(result.status == 1);
        return rows_of(result.out).at(0).text();
    };
    CHECK(told({"HTTP/1.1 200 OK\r\nX: " + std::string(1'000'000, 'x'), Then::stay}) ==
          "its head is too long");
    CHECK(told({std::string(1'000'000, 'x'), Then::stay}) == "not HTTP");
    CHECK(told({std::string(1'000'000, '\0'), Then::stay}) == "not HTTP");
}

TEST_CASE("a text that never ends is not a daytime") {
    Scenario scenario;
    const Peer server{says_and_stays(std::string(1'000'000, 'x'))};
    const auto source = fmt::format("daytime:{}", server.address().port());
    const auto result = scenario.run({"timecheck", "-t", "25s", "--via", source, "127.0.0.1"});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() == "cannot find a time in what it says");
}
