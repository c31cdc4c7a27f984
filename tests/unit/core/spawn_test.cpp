#include "core/spawn.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/socket_pair.h"

#include <array>
#include <cerrno>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <thread>

using namespace ipcbox;

namespace {

using Words = std::vector<std::string>;

// The text that a shell script prints when PLAN starts it.
std::string output_of(const std::string& script, SpawnPlan plan) {
    Pipe pipe = make_pipe();
    plan.output = pipe.writer.get();
    Child child = spawn("/bin/sh", Words{"sh", "-c", script}, plan);
    pipe.writer = Fd{};
    auto text = read_to_end(pipe.reader.get(), 4096, "a pipe");
    CHECK(child.wait().succeeded());
    return text;
}

// Waits for all children that have ended, as a server does. Returns the end of PID.
std::optional<WaitStatus> reap(pid_t pid) {
    for (;;)
        if (const auto reaped = reap_child(); reaped && reaped->pid == pid) return reaped->status;
}

} // namespace

TEST_CASE("the environment is exactly the plan's") {
    const std::vector<std::string> environment{"GREETING=hello", "EMPTY="};
    CHECK(output_of("echo $GREETING.$EMPTY.$HOME.", {.environment = &environment}) == "hello...\n");
}

TEST_CASE("limits, nice and no_new_privs are the program's, and not ours") {
    const std::vector<ResourceLimit> limits{{RLIMIT_NOFILE, 17}, {RLIMIT_CORE, 0}};
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int nice_before = ::getpriority(PRIO_PROCESS, 0);
    const auto text = output_of(
        "ulimit -n; ulimit -c; nice; grep NoNewPrivs /proc/self/status | tr -d '[:space:]'",
        {.limits = limits, .nice = 7, .no_new_privileges = true});
    CHECK(text == "17\n0\n7\nNoNewPrivs:1");
    rlimit after{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
    CHECK(after.rlim_cur == before.rlim_cur);
    CHECK(::getpriority(PRIO_PROCESS, 0) == nice_before);
}

TEST_CASE("a server reaps what it started, also what could not be executed") {
    keep_ended_children();
    const auto good = start_process("/bin/sh", Words{"sh", "-c", "exit 3"}, {});
    CHECK(good.exec_error == 0);
    CHECK(reap(good.pid)->text() == "exit 3");
    const auto bad = start_process("/nonexistent", Words{"nonexistent"}, {});
    CHECK(bad.exec_error == ENOENT);
    CHECK(reap(bad.pid)->as_exit_status() == exit_status::cannot_execute);
    CHECK(!reap_child());
}

TEST_CASE("several threads start programs at the same time, each with its own plan") {
    constexpr int threads = 4;
    constexpr int rounds = 25;
    std::array<int, threads> right{};
    {
        std::vector<std::jthread> starters;
        for (int which = 0; which < threads; ++which)
            starters.emplace_back([which, &right] {
                const std::vector<std::string> environment{"WHICH=" + std::to_string(which)};
                for (int round = 0; round < rounds; ++round) {
                    Pipe pipe = make_pipe();
                    Child child = spawn("/bin/sh", Words{"sh", "-c", "echo $WHICH"},
                                        {.output = pipe.writer.get(), .environment = &environment});
                    pipe.writer = Fd{};
                    const auto text = read_to_end(pipe.reader.get(), 64, "a pipe");
                    if (child.wait().succeeded() && text == std::to_string(which) + "\n")
                        ++right.at(static_cast<std::size_t>(which));
                }
            });
    }
    for (const int count : right)
        CHECK(count == rounds);
}

namespace {

// Answers a child that asks for leave. Returns its pid.
pid_t answer_leave(const Fd& socket, std::string_view answer) {
    pid_t asking = 0;
    (void)read_exact(socket.get(), std::as_writable_bytes(std::span{&asking, 1}), "a socket");
    write_all(socket.get(), answer, "a socket");
    return asking;
}

} // namespace

TEST_CASE("a program that has to ask for leave runs when it gets it") {
    const auto pair = make_socket_pair();
    pid_t asked = 0;
    std::jthread guard{[&] { asked = answer_leave(pair.ours, "y"); }};
    Child child = spawn("/bin/sh", Words{"sh", "-c", "exit 3"},
                        {.leave = pair.theirs.get(), .leave_patience = std::chrono::seconds{30}});
    guard.join();
    CHECK(asked == child.pid());
    CHECK(child.wait().text() == "exit 3");
}

TEST_CASE("a program that gets no leave does not run") {
    const SpawnPlan plan{.leave_patience = std::chrono::seconds{30}};
    const auto run = [](SpawnPlan asking, const Fd& socket) {
        asking.leave = socket.get();
        (void)spawn("/bin/sh", Words{"sh", "-c", "exit 3"}, asking);
    };
    SUBCASE("the answer is no") {
        const auto pair = make_socket_pair();
        const std::jthread guard{[&] { answer_leave(pair.ours, "n"); }};
        CHECK_THROWS_AS(run(plan, pair.theirs), LeaveRefused);
    }
    SUBCASE("nobody can be asked") {
        auto pair = make_socket_pair();
        pair.ours = Fd{};
        CHECK_THROWS_AS(run(plan, pair.theirs), LeaveRefused);
    }
    SUBCASE("no answer") {
        const auto pair = make_socket_pair();
        CHECK_THROWS_AS(run({.leave_patience = std::chrono::milliseconds{1}}, pair.theirs),
                        LeaveRefused);
    }
    CHECK(!has_children());
}
