#include "process/daemon.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/process_stat.h"
#include "harness/kills.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::process;

namespace {

// The text that the shell's SCRIPT prints when PLAN starts it.
std::string output_of(DaemonPlan plan, const std::string& script) {
    auto pipe = make_pipe();
    plan.program = "/bin/sh";
    plan.arguments = {"sh", "-c", script};
    plan.output = pipe.writer.get();
    Child child = start_daemon(plan);
    pipe.writer = Fd{};
    const auto text = read_to_end(pipe.reader.get(), 100'000, "a pipe");
    child.wait();
    return text;
}

} // namespace

TEST_CASE("a daemon runs in its directory, with its environment") {
    const std::vector<std::string> environment{"A=b"};
    DaemonPlan plan;
    plan.directory = "/";
    plan.environment = &environment;
    CHECK(output_of(plan, "pwd; echo $A$HOME") == "/\nb\n");
}

TEST_CASE("a daemon leads a session, and a job a group only") {
    DaemonPlan plan;
    plan.program = "/bin/sh";
    plan.arguments = {"sh", "-c", "read line"};
    auto pipe = make_pipe();
    plan.input = pipe.reader.get();
    for (const auto place : {DaemonPlan::Place::session, DaemonPlan::Place::group}) {
        plan.place = place;
        Child child = start_daemon(plan);
        const auto stat = read_process_stat(child.pid());
        REQUIRE(stat);
        CHECK(stat->group == child.pid());
        CHECK(stat->session == (place == DaemonPlan::Place::session ? child.pid() : ::getsid(0)));
        child.kill(SIGKILL);
        child.wait();
    }
}

TEST_CASE("a daemon that dies with its parent also dies when the parent died before it could ask") {
    const test::Scenario scenario; // orphans become our children
    DaemonPlan plan;
    plan.program = "/bin/sleep";
    plan.arguments = {"sleep", "1000"};
    plan.death_signal = SIGKILL;
    plan.before = [] {
        const pid_t parent = ::getppid();
        ::kill(parent, SIGKILL);
        while (::getppid() == parent)
            ::sched_yield();
    };
    Child parent = fork_child([&plan] {
        start_daemon(plan).release();
        return 0;
    });
    CHECK(parent.wait().signal() == SIGKILL);
    CHECK(test::eventually(test::is_all_gone));
}

TEST_CASE("only the descriptors that are named stay open") {
    auto pipe = make_pipe();
    const Fd kept = Fd::adopt(::dup(pipe.reader.get())); // stays open across an exec
    const Fd other = Fd::adopt(::dup(pipe.reader.get()));
    DaemonPlan plan;
    plan.kept = {kept.get()};
    plan.handed_over = {pipe.writer.get(), 200};
    const auto script =
        fmt::format("for fd in {} {} 200; do [ -e /proc/$$/fd/$fd ] && echo $fd; done", kept.get(),
                    other.get());
    CHECK(output_of(plan, script) == fmt::format("{}\n200\n", kept.get()));
}

TEST_CASE("a failure before the program starts is our error") {
    DaemonPlan plan;
    const auto status_of = [&plan] {
        try {
            start_daemon(plan).wait();
        } catch (const Error& error) {
            return std::pair{error.status(), std::string{error.what()}};
        }
        return std::pair{0, std::string{}};
    };
    plan.arguments = {"program"};
    plan.program = "/no/such/program";
    CHECK(status_of() == std::pair{exit_status::not_found,
                                   std::string{"cannot execute /no/such/program: No such file or "
                                               "directory"}});
    plan.program = "/etc/passwd";
    CHECK(status_of().first == exit_status::cannot_execute);
    plan.directory = "/no/such/directory";
    CHECK(status_of().second == "cannot go to /no/such/directory: No such file or directory");
    plan.before = [] { throw Error("no more"); };
    CHECK(status_of() == std::pair{exit_status::failed, std::string{"no more"}});
}

TEST_CASE("an error reaches us in one line") {
    try {
        throw_error_line(error_line(Error("cannot do it", 7)));
    } catch (const Error& error) {
        CHECK(error.status() == 7);
        CHECK(std::string{error.what()} == "cannot do it");
    }
}
