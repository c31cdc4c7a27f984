#include "process/reaper.h"

#include "core/child.h"
#include "core/pipe.h"
#include "core/spawn.h"
#include "harness/scenario.h"
#include "harness/zombie.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::process;

namespace {

// A child for which nobody waits except the test.
pid_t start_shell(const std::string& script, int input = SpawnPlan::same) {
    SpawnPlan plan;
    plan.input = input;
    auto child = spawn("/bin/sh", std::vector<std::string>{"sh", "-c", script}, plan);
    const pid_t pid = child.pid();
    child.release();
    return pid;
}

EndedChild next_end() {
    std::optional<EndedChild> ended;
    REQUIRE(test::eventually([&] { return (ended = reap_ended_child()).has_value(); }));
    return *ended;
}

} // namespace

TEST_CASE("a child that ended is reaped with its name, its time and its status") {
    const pid_t pid = start_shell("exit 3");
    const auto ended = next_end();
    CHECK(ended.pid == pid);
    CHECK(ended.name == "sh");
    CHECK(ended.seconds >= 0);
    CHECK(ended.seconds < 60);
    CHECK(ended.status.as_exit_status() == 3);
    CHECK_FALSE(has_children());
}

TEST_CASE("a child that was killed is told as that") {
    const pid_t pid = start_shell("kill -KILL $$");
    const auto ended = next_end();
    CHECK(ended.pid == pid);
    CHECK(ended.status.signal() == SIGKILL);
}

TEST_CASE("each of many children is reaped once") {
    constexpr std::size_t count = 20;
    std::vector<pid_t> started;
    for (std::size_t number = 0; number < count; ++number)
        started.push_back(start_shell("exit 0"));
    std::vector<pid_t> reaped;
    for (std::size_t number = 0; number < count; ++number)
        reaped.push_back(next_end().pid);
    std::ranges::sort(started);
    std::ranges::sort(reaped);
    CHECK(started == reaped);
    CHECK_FALSE(reap_ended_child());
}

TEST_CASE("nothing is reaped while no child has ended, or there is none") {
    CHECK_FALSE(reap_ended_child());
    auto pipe = make_pipe();
    const pid_t pid = start_shell("read line", pipe.reader.get());
    CHECK_FALSE(reap_ended_child());
    pipe.writer = Fd{};
    CHECK(next_end().pid == pid);
}

TEST_CASE("a child that stops is reported once, and goes on") {
    auto pipe = make_pipe();
    const pid_t pid = start_shell("kill -STOP $$; exit 5", pipe.reader.get());
    std::optional<int> signal;
    REQUIRE(test::eventually([&] { return (signal = stop_signal_of(pid)).has_value(); }));
    CHECK(*signal == SIGSTOP);
    CHECK_FALSE(stop_signal_of(pid));
    CHECK_FALSE(reap_ended_child());
    REQUIRE(::kill(pid, SIGCONT) == 0);
    CHECK(next_end().status.as_exit_status() == 5);
    CHECK_FALSE(stop_signal_of(pid));
}

TEST_CASE("a zombie is listed with its parent") {
    test::Scenario scenario;
    const test::Zombie zombie{scenario};
    const auto zombies = all_zombies();
    const auto found = std::ranges::find(zombies, std::stoi(zombie.pid), &process::Zombie::pid);
    REQUIRE(found != zombies.end());
    CHECK(found->parent != 0);
    CHECK_FALSE(found->parent_name.empty());
    CHECK(std::ranges::is_sorted(zombies, {}, &process::Zombie::pid));
}
