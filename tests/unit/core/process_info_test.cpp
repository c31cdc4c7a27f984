#include "core/process_info.h"

#include "core/child.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/user.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox;
using namespace std::chrono_literals;

namespace {

// Starts a child that calls itself NAME and waits.
Child start_named(const std::string& name) {
    Pipe pipe = make_pipe();
    Child child = fork_child([&]() -> int {
        set_own_name(name);
        pipe.writer = Fd{};
        for (;;)
            ::pause();
    });
    pipe.writer = Fd{};
    CHECK(wait_for(pipe.reader.get(), POLLIN, Deadline::after(30s)));
    return child;
}

} // namespace

TEST_CASE("a process is described as /proc has it") {
    const auto child = start_named("plain");
    const auto info = find_process(child.pid());
    REQUIRE(info);
    CHECK(info->pid == child.pid());
    CHECK(info->parent == ::getpid());
    CHECK(info->user == ::geteuid());
    CHECK(info->name == "plain");
    const auto age = std::chrono::system_clock::now() - info->started;
    CHECK(age > -1s);
    CHECK(age < 30s);
    CHECK(find_process(::getpid())->is_runnable);
    CHECK(test::eventually([&] { return !find_process(child.pid())->is_runnable; }));
    CHECK(info->text().starts_with(
        fmt::format("{} (plain, {}, ", child.pid(), user_name(::geteuid()))));
}

TEST_CASE("a name may have blanks, parentheses and line feeds") {
    for (const char* name : {"a b", "x) Z 1 (y", ") R", "((", "", "15 bytes and mo"}) {
        const auto child = start_named(name);
        const auto info = find_process(child.pid());
        REQUIRE(info);
        CHECK(info->name == name);
        CHECK(info->parent == ::getpid());
    }
    const auto hostile = start_named("\x1b[2J\nroot\x9b");
    CHECK(find_process(hostile.pid())->text().find("(?[2J?root?, ") != std::string::npos);
}

TEST_CASE("a zombie and a process that is not there are nothing") {
    Child child = fork_child([] { return 0; });
    REQUIRE(wait_for(child.pidfd(), POLLIN, Deadline::after(30s)));
    CHECK_FALSE(find_process(child.pid()));
    const pid_t pid = child.pid();
    (void)child.wait();
    CHECK_FALSE(find_process(pid));
    CHECK_FALSE(find_process(0));
    CHECK_FALSE(find_process(-1));
}

TEST_CASE("a duration is shown in its two largest units") {
    CHECK(short_duration(-1s) == "0s");
    CHECK(short_duration(0s) == "0s");
    CHECK(short_duration(59s) == "59s");
    CHECK(short_duration(60s) == "1m");
    CHECK(short_duration(192s) == "3m12s");
    CHECK(short_duration(4h) == "4h");
    CHECK(short_duration(4h + 59s) == "4h");
    CHECK(short_duration(4h + 5min + 59s) == "4h5m");
    CHECK(short_duration(24h * 12 + 3h) == "12d3h");
}
