// The system has no thread for us (RLIMIT_NPROC, or the pids controller of a cgroup). Applets do
// everything that they can do without one. Otherwise they end with one line that says why.
#include "harness/client.h"
#include "harness/environment.h"
#include "harness/http_peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr const char* never = "pthread_create=EAGAIN%1";
constexpr const char* reason = ": cannot start a thread: Resource temporarily unavailable\n";

Result run_without_threads(Scenario& scenario, const Words& words, std::string_view input = {}) {
    const Variable which{"IPCBOX_FAULT", never};
    return scenario.run(words, input);
}

} // namespace

TEST_CASE("parallel downloads need no second thread") {
    Scenario scenario;
    const HttpPeer server{[](const HttpRequest& request) { return ok(request.target()); }};
    const auto result =
        run_without_threads(scenario, {"webget", "-s", "-Z", server.url("/a"), server.url("/b"),
                                       server.url("/c"), server.url("/d")});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(result.out == "/a/b/c/d");
}

TEST_CASE("large segments are copied without a second thread") {
    Scenario scenario;
    const std::string text(9 << 20, 'x');
    scenario.write_file("file", text);
    const Variable which{"IPCBOX_FAULT", "pthread_create=EAGAIN@2"}; // the first one takes signals
    CHECK(scenario.shell("shm-write --create $1 <file", {scenario.name()}).status == 0);
    const Variable none{"IPCBOX_FAULT", never};
    CHECK(scenario.run({"shm-read", scenario.name()}).out == text);
}

TEST_CASE("a lookup, a server and a write that need a thread say that there is none") {
    Scenario scenario;
    for (const auto& words : {Words{"forking-tcp-server", "127.0.0.1:0", "--", "true"},
                              {"time-server", "127.0.0.1:0"},
                              {"safe-write", "file"},
                              {"tcp-client", "-z", "nobody.invalid:9"}}) {
        const auto result = run_without_threads(scenario, words, "text");
        CAPTURE(words.front());
        CAPTURE(result.err);
        CHECK(result.status == 1);
        CHECK(std::ranges::count(result.err, '\n') == 1);
        CHECK(contains(result.err, "Resource temporarily unavailable\n"));
    }
    CHECK(run_without_threads(scenario, {"safe-write", "file"}, "text").err ==
          fmt::format("safe-write{}", reason));
    CHECK_FALSE(scenario.exists("file"));
}

TEST_CASE("each thread of a server can be missing once, and it still serves") {
    for (int number = 1; number < 20; ++number) {
        Scenario scenario;
        const auto mark = scenario.path("mark");
        const Variable which{"IPCBOX_FAULT", fmt::format("pthread_create=EAGAIN@{}", number)};
        const Variable where{"IPCBOX_FAULT_MARK", mark};
        auto server = scenario.start({"forking-tcp-server", "-J", "--notify-fd", "2", "-H",
                                      "127.0.0.1:0", "--", "echo", "hello"});
        const auto line = server.error_line();
        CAPTURE(number);
        CAPTURE(line);
        if (!contains(line, "listening")) {
            CHECK(contains(line, ": cannot start a thread"));
            CHECK(server.wait().status == 1);
            continue;
        }
        CHECK(ask(announced_address(line)) == "hello\n");
        server.kill(SIGTERM);
        CHECK(server.wait().status == 0);
        if (!scenario.exists("mark")) return;
    }
    FAIL("there is always another thread");
}
