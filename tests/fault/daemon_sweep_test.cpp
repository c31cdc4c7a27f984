// The sweep for daemons that keep running: one system call after another of daemon-run fails once,
// with each errno that the kernel could return there. Whatever fails, the pid file is there as long
// as the daemon runs, and one line reports what failed.
#include "fault/sweep.h"
#include "harness/injected_fault.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words start_of(const Words& options) {
    Words words{"daemon-run", "-p", "pid"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"sleep", "1000"});
    return words;
}

// Starts the daemon with one fault, and stops it. False when no call was left to fail.
bool fails_somewhere(const Words& options, const std::string& fault) {
    CAPTURE(fmt::format("{}", fmt::join(options, " ")));
    CAPTURE(fault);
    Scenario scenario;
    Result result;
    const auto fired =
        with_fault(scenario, fault, [&] { result = scenario.run(start_of(options)); });
    if (fired.empty()) return false;
    CAPTURE(fired);
    CAPTURE(result.err);
    CAPTURE(result.status);
    // The daemon is up, but we could not say so.
    const bool is_unreported = fired.starts_with("write") && result.status == 1;
    const bool is_up = result.status == 0 || is_unreported;
    CHECK(std::ranges::count(result.err, '\n') == (result.status == 0 ? 0 : 1));
    // Without its lock, the file may be that of another start, which is about to write into it.
    const bool lacks_lock = fired.starts_with("flock") && !is_up;
    if (!lacks_lock) CHECK(scenario.exists("pid") == is_up);
    if (is_up) CHECK(scenario.run({"daemon-run", "-p", "pid", "--stop"}).status == 0);
    CHECK(eventually([] { return running_children().empty(); }));
    return true;
}

} // namespace

TEST_CASE("no matter what fails, a daemon has a pid file exactly as long as it runs") {
    const std::vector<Words> all{
        {"--settle", "1ms"},
        {"--settle", "1ms", "-l", "lock"},
        {"--settle", "1ms", "-l", "pid"},
        {"--settle", "1ms", "-o", "log", "--rotate", "1M:1"},
        {"--settle", "1ms", "--respawn", "1/1m", "-l", "lock"},
    };
    const auto errors = swept_errors({"ENOMEM", "EMFILE", "EACCES"});
    int runs = 0;
    for (const auto& options : all)
        runs += sweep_calls(
            errors, [&](const std::string& fault) { return fails_somewhere(options, fault); });
    MESSAGE(all.size(), " daemons, ", runs, " calls failed");
}

TEST_CASE("a daemon that we are not permitted to end keeps its pid file, and a line names it") {
    const Words not_ready{"--ready-fd", "9", "--ready-timeout", "0.01", "--stages", "TERM:0.01s"};
    int left = 0;
    const auto is_left = [&](const Words& options, const std::string& fault) {
        Scenario scenario;
        Result result;
        const auto fired =
            with_fault(scenario, fault, [&] { result = scenario.run(start_of(options)); });
        if (!contains(fired, "pidfd_send_signal")) return fired.empty();
        CAPTURE(fired);
        CAPTURE(result.err);
        REQUIRE(scenario.exists("pid"));
        CHECK(
            contains(result.err, fmt::format("daemon-run: cannot end sleep, which runs as process "
                                             "{}: Operation not permitted\n",
                                             std::stoi(scenario.read_file("pid")))));
        CHECK(scenario.run({"daemon-run", "-p", "pid", "--stop"}).status == 0);
        ++left;
        return true;
    };
    CHECK(is_left(not_ready, "pidfd_send_signal=EPERM%1"));
    for (int call = 1; call < 20; ++call)
        (void)is_left({"--settle", "1ms"},
                      fmt::format("pidfd_send_signal=EPERM%1,*=EMFILE@{}", call));
    CHECK(left > 1);
}
