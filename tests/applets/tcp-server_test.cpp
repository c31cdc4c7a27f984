#include "harness/client.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include "core/error.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <vector>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words server(const Words& options, const Words& program = {}) {
    Words words{"tcp-server"};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("127.0.0.1:0");
    if (program.empty()) return words;
    words.emplace_back("--");
    words.insert(words.end(), program.begin(), program.end());
    return words;
}

} // namespace

TEST_CASE("each client is greeted by its address, and that is all") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready_address(process);
    CHECK(log_line(process, ": server started on port ")
              .starts_with(fmt::format("tcp-server {}: ", process.pid())));
    for (int round = 0; round < 3; ++round) {
        Client client{address};
        client.send("what we say does not matter\n");
        CHECK(client.line().starts_with("Hello there, 127.0.0.1, it's now "));
        // The socket is closed, so everything that comes is answered by a reset.
        CHECK(is_turned_away(client));
    }
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("a client that comes while another one is served waits until that one is done") {
    Scenario scenario;
    auto process = scenario.start(server({}, {"cat"}));
    const auto address = ready_address(process);
    Client first{address};
    first.send("hello\n");
    CHECK(first.line() == "hello");
    Client second{address};
    second.send("and me\n");
    Client third{address};
    third.send("me too\n");
    // The first client takes its time, and nobody else is served.
    first.send("still here\n");
    CHECK(first.line() == "still here");
    first.end_input();
    CHECK(first.rest().empty());
    CHECK(second.line() == "and me");
    second.end_input();
    CHECK(second.rest().empty());
    CHECK(third.line() == "me too");
    third.end_input();
    CHECK(third.rest().empty());
    (void)process.error_line(); // server started
    for (int round = 0; round < 3; ++round)
        for (const char* what : {": connection from ", ": begat ", ": reaped "})
            CHECK(process.error_line().find(what) != std::string::npos);
}

TEST_CASE("-c serves more at a time, and --over tells the others") {
    Scenario scenario;
    auto process = scenario.start(server({"-c", "2", "--over", "busy"}, {"cat"}));
    const auto address = ready_address(process);
    Client first{address};
    Client second{address};
    for (const auto* client : {&first, &second})
        client->send("hello\n");
    CHECK(first.line() == "hello");
    CHECK(second.line() == "hello");
    CHECK(Client{address}.rest() == "busy\n");
}

TEST_CASE("--once and --count end us when that number was served") {
    Scenario scenario;
    auto once = scenario.start(server({"-1"}));
    CHECK(ask(ready_address(once)).starts_with("Hello there, "));
    CHECK(once.wait().status == 0);
    auto three = scenario.start(server({"--count", "3"}, {"echo", "you"}));
    const auto address = ready_address(three);
    for (int round = 0; round < 3; ++round)
        CHECK(ask(address) == "you\n");
    CHECK(three.wait().status == 0);
}

TEST_CASE("clients that neither read nor send do not stop the server") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready_address(process);
    std::vector<Client> stalled;
    for (int each = 0; each < 20; ++each)
        stalled.emplace_back(address);
    CHECK(ask(address).starts_with("Hello there, "));
    for (auto& client : stalled)
        CHECK(client.rest().starts_with("Hello there, "));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE(
    "a program that waits for such clients does not stop the server when it has a time limit") {
    Scenario scenario;
    // The answer to a client that comes after a silent one. It has to come within the limit, too.
    const auto next_answer = [&](const std::string& limit) {
        auto process = scenario.start(server({"--max-time", limit}, {"cat"}));
        const auto address = ready_address(process);
        const Client silent{address};
        CHECK(contains(log_line(process, ": ending "), ": not done after "));
        CHECK(log_line(process, ": reaped ").ends_with(" killed by TERM"));
        try {
            return ask(address, "next\n");
        } catch (const SysError&) { // ended before it has read
            return std::string{};
        }
    };
    const std::string answer = "next\n";
    CHECK(with_time_limit(next_answer, [&](const auto& got) { return got == answer; }) == answer);

    auto talker = scenario.start(server({"--max-time", "0.05"}, {"yes"}));
    const Client deaf{ready_address(talker)};
    CHECK(log_line(talker, ": ending ").ends_with(": not done after 0.05 s"));
    CHECK(log_line(talker, ": reaped ").ends_with(" killed by TERM"));
}

TEST_CASE("HUP puts our program in our place, also while a client is served") {
    Scenario scenario;
    auto process = scenario.start(server({}, {"cat"}));
    const auto address = ready_address(process);
    Client first{address};
    first.send("before\n");
    CHECK(first.line() == "before");
    process.kill(SIGHUP);
    (void)log_line(process, ": restarting");
    (void)log_line(process, ": server started on port ");
    Client second{address};
    second.send("and me\n");
    // The first client still has the only place.
    first.send("after\n");
    CHECK(first.line() == "after");
    first.end_input();
    CHECK(first.rest().empty());
    (void)log_line(process, ": reaped ");
    CHECK(process.error_line().find(": connection from ") != std::string::npos);
    CHECK(second.line() == "and me");
}

TEST_CASE("a program that cannot be run is our error, before we listen") {
    Scenario scenario;
    const auto result = scenario.run(server({}, {"no-such-program"}));
    CHECK(result.status == 127);
    CHECK(result.err.starts_with("tcp-server: "));
}
