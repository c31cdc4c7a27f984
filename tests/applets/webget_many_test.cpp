// Many documents: connections are used again, requests are sent ahead, and several transfers run at
// the same time. The result is the same as one by one, whatever servers do.
#include "core/io.h"
#include "core/poll.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <array>
#include <atomic>
#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr int many = 40;

std::string body_of(const HttpRequest& request) {
    return request.target() + "\n";
}

Words urls(const std::string& server, Words words = {"webget"}) {
    for (int number = 0; number < many; ++number)
        words.push_back(fmt::format("http://{}/{}", server, number));
    return words;
}

// The results of all transfers, in their order.
std::string all() {
    std::string text;
    for (int number = 0; number < many; ++number)
        text += fmt::format("/{}\n", number);
    return text;
}

void check_all(const Result& result) {
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(result.out == all());
}

} // namespace

TEST_CASE("requests are sent before the responses to those before them") {
    Scenario scenario;
    // The server answers the first request at once, so that webget sees that the connection is
    // kept. Then it waits until several requests have come.
    constexpr int ahead = 8;
    const Peer server{[](const Fd& client) {
        HttpReader reader{client};
        say(client, ok(body_of(*reader.next())));
        std::string answers;
        for (int number = 0; number < ahead; ++number)
            answers += ok(body_of(reader.next().value()));
        say(client, answers);
        while (const auto request = reader.next())
            say(client, ok(body_of(*request)));
    }};
    check_all(scenario.run(urls(server.text())));
}

TEST_CASE("one connection is enough, in whatever pieces the answers come") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        const auto body = body_of(request);
        if (request.number % 3 == 0) return ok(body);
        return fmt::format("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n"
                           "0\r\n\r\n",
                           body.size(), body);
    }};
    check_all(scenario.run(urls(server.text())));
    CHECK(server.connections() == 1);
    check_all(scenario.run(urls(server.text(), {"webget", "--no-pipelining"})));
    CHECK(server.connections() == 2);
}

TEST_CASE("a server that closes after some answers loses none") {
    Scenario scenario;
    for (const auto then : {Then::close, Then::drop, Then::reset})
        for (const std::size_t after : {1UL, 2UL, 7UL}) {
            CAPTURE(after);
            const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
                return {ok(body_of(request)), request.number + 1 == after ? then : Then::keep};
            }};
            check_all(scenario.run(urls(server.text())));
        }
}

TEST_CASE("a server that announces its close is asked nothing in vain") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        return {ok(body_of(request), "Connection: close\r\n"), Then::close};
    }};
    check_all(scenario.run(urls(server.text())));
    CHECK(server.connections() == many);
    CHECK(server.requests().size() == many); // no request was sent twice
}

TEST_CASE("a server that cannot take requests sent ahead gets one at a time") {
    Scenario scenario;
    // The server answers one request, and takes the bytes after it for an error.
    std::atomic<int> confused = 0;
    const Peer server{[&](const Fd& client) {
        HttpReader reader{client};
        for (int number = 0; number < 2; ++number)
            if (const auto request = reader.next()) say(client, ok(body_of(*request)));
        if (!reader.next()) return;
        ++confused;
        say(client, "nonsense\r\n\r\n");
        reset_when_closed(client);
    }};
    const auto result =
        scenario.run({"webget", "http://" + server.text() + "/0", "http://" + server.text() + "/1",
                      "http://" + server.text() + "/2", "http://" + server.text() + "/3"});
    CHECK(result.status == 0);
    CHECK(result.out == "/0\n/1\n/2\n/3\n");
    CHECK(confused == 1);
}

TEST_CASE("an odd answer in the middle of many spoils no other") {
    Scenario scenario;
    SUBCASE("errors, and bodies without a length") {
        const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
            if (request.target() == "/7") return answer("404 Not Found", "", "no such thing");
            if (request.target() == "/9") return {"HTTP/1.1 200 OK\r\n\r\n/9\n", Then::close};
            return ok(body_of(request));
        }};
        const auto result = scenario.run(urls(server.text(), {"webget", "-f"}));
        CHECK(result.status == 22);
        auto expected = all();
        expected.erase(expected.find("/7\n"), 3);
        CHECK(result.out == expected);
    }
    SUBCASE("a cut body spoils nothing else") {
        const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
            if (request.target() == "/7")
                return {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut\n", Then::close};
            return ok(body_of(request));
        }};
        const auto result = scenario.run(urls(server.text()));
        CHECK(result.status == 18);
        auto expected = all();
        expected.replace(expected.find("/7\n"), 3, "cut\n");
        CHECK(result.out == expected);
    }
    SUBCASE("a document that is larger than allowed") {
        const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
            return ok(request.target() == "/7" ? std::string(100'000, 'x') : body_of(request));
        }};
        const auto result = scenario.run(urls(server.text(), {"webget", "--max-size", "1000"}));
        CHECK(result.status == 63);
        auto expected = all();
        expected.erase(expected.find("/7\n"), 3);
        CHECK(result.out == expected);
    }
}

TEST_CASE("a redirect, an error and a body that nobody wants keep the connection") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/5") return answer("302 Found", "Location: /other\r\n", "moved");
        if (request.target() == "/6") return answer("404 Not Found", "", "no such thing\n");
        if (request.target() == "/8") return answer("204 No Content");
        return ok(body_of(request));
    }};
    const auto result = scenario.run(urls(server.text(), {"webget", "-L"}));
    CHECK(result.status == 22);
    CHECK(result.err == fmt::format("no such thing\nwebget: {}: 404 Not Found\n"
                                    "webget: fetched 39 of 40 documents, 1 failed\n",
                                    server.url("/6")));
    auto expected = all();
    expected.replace(expected.find("/5\n"), 3, "/other\n");
    expected.erase(expected.find("/6\n"), 3);
    expected.erase(expected.find("/8\n"), 3);
    CHECK(result.out == expected);
    // The request that follows the redirect could not wait behind those that were sent ahead.
    CHECK(server.connections() == 2);
}

TEST_CASE("posted data is not sent ahead") {
    Scenario scenario;
    std::atomic<bool> early = false;
    const Peer server{[&early](const Fd& client) {
        HttpReader reader{client};
        while (const auto request = reader.next()) {
            // No other request has come, although there was time for one.
            early = early ||
                    wait_for(client.get(), POLLIN, Deadline::after(std::chrono::milliseconds{2}));
            say(client, ok(body_of(*request)));
        }
    }};
    check_all(scenario.run(urls(server.text(), {"webget", "-d", "x"})));
    CHECK_FALSE(early);
}

TEST_CASE("a request that must not happen twice is not repeated") {
    Scenario scenario;
    // A kept connection ends just when the next request is on its way.
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        if (request.number == 1) return {"", Then::reset};
        return ok("hello\n");
    }};
    const Words words{"webget", "-s", server.url("/a"), server.url("/b")};
    CHECK(scenario.run(words).status == 0);
    CHECK(server.targets() == "/a /b /b");
    auto posting = words;
    posting.insert(posting.begin() + 1, {"-d", "x"});
    CHECK(scenario.run(posting).status == 56);
    CHECK(server.targets() == "/a /b /b /a /b");
}

TEST_CASE("-Z uses several connections at once") {
    Scenario scenario;
    std::atomic<int> asking = 0;
    const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
        // The first requests wait for each other.
        if (request.number == 0) {
            ++asking;
            (void)eventually([&] { return asking >= 4; });
        }
        return ok(body_of(request));
    }};
    check_all(scenario.run(urls(server.text(), {"webget", "-Z", "--parallel-max", "4"})));
    CHECK(server.connections() == 4);
    CHECK(server.requests().size() == many);
}

TEST_CASE("the number of connections stays within its limit") {
    Scenario scenario;
    const HttpPeer server{
        [](const HttpRequest& request) -> HttpAnswer { return ok(body_of(request)); }};
    check_all(scenario.run(urls(server.text(), {"webget", "-Z", "--parallel-max", "2"})));
    CHECK(server.connections() <= 2);
}

TEST_CASE("standard output has the order of the arguments") {
    Scenario scenario;
    // The first document comes last.
    std::atomic<int> answered = 0;
    const HttpPeer server{[&](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/0") (void)eventually([&] { return answered >= many / 2; });
        ++answered;
        return ok(body_of(request));
    }};
    const auto result =
        scenario.run(urls(server.text(), {"webget", "-Z", "-w", "%{http_code}\\n"}));
    CHECK(result.status == 0);
    std::string expected;
    for (int number = 0; number < many; ++number)
        expected += fmt::format("/{}\n200\n", number);
    CHECK(result.out == expected);
}

TEST_CASE("many files are fetched at once") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        return {ok(body_of(request)), request.number == 4 ? Then::close : Then::keep};
    }};
    CHECK(scenario.run(urls(server.text(), {"webget", "-Z", "-O"})).status == 0);
    for (int number = 0; number < many; ++number)
        CHECK(scenario.read_file(std::to_string(number)) == fmt::format("/{}\n", number));
}

TEST_CASE("several servers are asked in turn") {
    Scenario scenario;
    const auto name = [](const HttpRequest& request) -> HttpAnswer { return ok(body_of(request)); };
    const HttpPeer one{name};
    const HttpPeer other{name};
    Words words{"webget"};
    std::string expected;
    for (int number = 0; number < many; ++number) {
        words.push_back((number % 2 == 0 ? one : other).url(fmt::format("/{}", number)));
        expected += fmt::format("/{}\n", number);
    }
    check_all(scenario.run(words));
    CHECK(one.connections() == 1);
    CHECK(other.connections() == 1);
}

TEST_CASE("--limit-rate limits the speed") {
    Scenario scenario;
    const HttpPeer server{
        [](const HttpRequest&) -> HttpAnswer { return ok(std::string(20'000, 'x')); }};
    const auto result = scenario.run(
        {"webget", "-o", "f", "--limit-rate", "100000", "-w", "%{time_total}", server.url("/")});
    CHECK(result.status == 0);
    CHECK(std::stod(result.out) > 0.15);
}

// Ways in which servers treat requests that come before the last one is answered.
TEST_CASE("pipelining is invisible to a server that cannot do it") {
    Scenario scenario;
    const auto head_of = [](const Fd& client) {
        std::string text;
        while (text.find("\r\n\r\n") == std::string::npos) {
            std::array<std::byte, 65536> piece{};
            const auto got = read_some(client.get(), piece, "a client");
            if (got == 0) return std::string{};
            text.append(reinterpret_cast<const char*>(piece.data()), got);
        }
        return text; // and the bytes that came with it
    };
    const auto target_of = [](const std::string& head) {
        const auto begin = head.find(' ') + 1;
        return head.substr(begin, head.find(' ', begin) - begin);
    };
    const auto is_one = [](const std::string& text) {
        return text.find("\r\n\r\n") + 4 == text.size();
    };
    std::atomic<int> stalls = 0;
    SUBCASE("it answers the first of them and forgets the others") {
        const auto forget = [](const Fd& client) {
            std::array<std::byte, 65536> piece{};
            while (wait_for(client.get(), POLLIN, Deadline::after(std::chrono::milliseconds{200})))
                if (read_some(client.get(), piece, "a client") == 0) return;
        };
        const Peer server{[&](const Fd& client) {
            for (auto text = head_of(client); !text.empty(); text = head_of(client)) {
                const bool is_stall = !is_one(text);
                if (is_stall) forget(client); // the others may come in pieces
                say(client, ok(target_of(text) + "\n"));
                stalls += is_stall;
            }
        }};
        const auto began = Deadline::Clock::now();
        check_all(scenario.run(urls(server.text())));
        // It waits once, not at each document.
        CHECK(Deadline::Clock::now() - began < std::chrono::seconds{20});
        CHECK(stalls == 1);
    }
    SUBCASE("it refuses them") {
        for (const char* const status :
             {"400 Bad Request", "413 Too Large", "429 Slow", "500 Oops", "503 Busy"}) {
            const Peer server{[&](const Fd& client) {
                for (auto text = head_of(client); !text.empty(); text = head_of(client)) {
                    if (is_one(text)) {
                        say(client, ok(target_of(text) + "\n"));
                        continue;
                    }
                    say(client, ok(target_of(text) + "\n"));
                    say(client, answer(status, "Connection: close\r\n", "one at a time\n"));
                    return;
                }
            }};
            check_all(scenario.run(urls(server.text())));
        }
    }
    SUBCASE("it closes the connection after the first") {
        for (const bool resets : {false, true}) {
            const Peer server{[&](const Fd& client) {
                for (auto text = head_of(client); !text.empty(); text = head_of(client)) {
                    say(client, ok(target_of(text) + "\n"));
                    if (is_one(text)) continue;
                    if (resets) reset_when_closed(client);
                    return;
                }
            }};
            check_all(scenario.run(urls(server.text())));
        }
    }
    SUBCASE("files") {
        const Peer server{[&](const Fd& client) {
            for (auto text = head_of(client); !text.empty(); text = head_of(client))
                say(client, ok(target_of(text) + "\n"));
        }};
        CHECK(scenario.run(urls(server.text(), {"webget", "-Z", "--parallel-max", "1", "-O"}))
                  .status == 0);
        for (int number = 0; number < many; ++number)
            CHECK(scenario.read_file(std::to_string(number)) == fmt::format("/{}\n", number));
    }
}

TEST_CASE("a body that is cut because of what was sent ahead is asked for again") {
    Scenario scenario;
    // The server closes with unread requests, so the kernel drops the bytes that are not sent yet.
    const HttpPeer server{[](const HttpRequest& request) -> HttpAnswer {
        const auto whole = ok(body_of(request), "ETag: \"" + request.target() + "\"\r\n");
        if (request.connection == 0 && request.number == 3)
            return {whole.substr(0, whole.size() - 1), Then::reset};
        return whole;
    }};
    CHECK(scenario.run(urls(server.text(), {"webget", "-O"})).status == 0);
    for (int number = 0; number < many; ++number)
        CHECK(scenario.read_file(std::to_string(number)) == fmt::format("/{}\n", number));
}
