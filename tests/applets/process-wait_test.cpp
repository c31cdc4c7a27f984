#include "harness/zombie.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/syscall.h>

using namespace ipcbox::test;

namespace {

std::string number(pid_t pid) {
    return fmt::format("{}", pid);
}

Process start_job(Scenario& scenario) {
    auto job = scenario.start_shell("echo up; read line; exit 3");
    REQUIRE(job.line() == "up");
    return job;
}

bool waits(const Process& process) {
    return eventually([&] { return is_blocked_in(process.pid(), SYS_ppoll); });
}

constexpr const char* nobody = "4194304";

} // namespace

TEST_CASE("the wait ends with the process, which is no child of ours") {
    Scenario scenario;
    auto job = start_job(scenario);
    const auto pid = job.pid(); // job forgets it when it is waited for
    auto wait = scenario.start({"process-wait", "-v", number(pid)});
    REQUIRE(waits(wait));
    CHECK(wait.is_running());
    job.close_input();
    CHECK(job.wait().status == 3);
    const auto result = wait.wait();
    CHECK(result.status == 0);
    CHECK(result.out.empty());
    CHECK_MESSAGE(result.err.starts_with(fmt::format("process-wait: {} ended after ", pid)),
                  result.err);
}

TEST_CASE("the wait is for all processes, or for any one") {
    Scenario scenario;
    auto one = start_job(scenario);
    auto two = start_job(scenario);
    auto all = scenario.start({"process-wait", number(one.pid()), number(two.pid())});
    auto any = scenario.start({"process-wait", "--any", number(one.pid()), number(two.pid())});
    REQUIRE(waits(all));
    REQUIRE(waits(any));
    one.close_input();
    CHECK(any.wait().status == 0);
    CHECK(all.is_running());
    two.close_input();
    CHECK(all.wait().status == 0);
}

TEST_CASE("when time is up, the processes that are left are named") {
    Scenario scenario;
    auto job = start_job(scenario);
    const auto result = scenario.run({"process-wait", "-t", "10ms", number(job.pid())});
    CHECK(result.status == 124);
    CHECK(result.err.starts_with(fmt::format("process-wait: timed out: {} (sh, ", job.pid())));
    CHECK(result.err.ends_with(") is still running\n"));
    CHECK(scenario.run({"process-wait", "-qt", "0", number(job.pid())}).err.empty());
    const auto json = scenario.run({"process-wait", "-qJt", "0", number(job.pid())});
    CHECK(json.out == fmt::format("{{\"v\":1,\"pid\":{},\"state\":\"alive\"}}\n", job.pid()));
}

TEST_CASE("a process that is gone is an error, unless it may be") {
    Scenario scenario;
    const auto gone = scenario.run({"process-wait", nobody});
    CHECK(gone.status == 1);
    CHECK(gone.err == "process-wait: cannot wait for 4194304: no such process\n");
    CHECK(scenario.run({"process-wait", "-e", nobody}).status == 0);
    CHECK(scenario.run({"process-wait", "-e", "--any", nobody}).status == 0);
}

TEST_CASE("another process with the pid is not waited for") {
    Scenario scenario;
    auto job = start_job(scenario);
    CHECK(scenario.run({"process-wait", "-e", number(job.pid()) + ":1"}).status == 0);
    const auto id = scenario.run({"process-alive", "-i", number(job.pid())}).out;
    auto wait = scenario.start({"process-wait", id.substr(0, id.size() - 1)});
    REQUIRE(waits(wait));
    job.close_input();
    CHECK(wait.wait().status == 0);
}

TEST_CASE("a zombie has ended") {
    Scenario scenario;
    const Zombie zombie{scenario};
    CHECK(scenario.run({"process-wait", "-t", "30", zombie.pid}).status == 0);
}

TEST_CASE("a thousand processes are awaited at once") {
    Scenario scenario;
    const auto result = scenario.shell(
        "mkfifo end; exec 9<>end; n=0; while [ $n -lt 1000 ]; do (read line <&9) & "
        "pids=\"$pids $!\"; n=$((n + 1)); done; process-wait -eJ $pids >ends & waiter=$!; "
        "for pid in $pids; do echo >&9; done; for pid in $pids; do wait $pid; done; "
        "wait $waiter; echo $?; wc -l <ends");
    CHECK(result.out == "0\n1000\n");
}

TEST_CASE("a word that is not a process is refused") {
    Scenario scenario;
    CHECK(scenario.run({"process-wait"}).status == 2);
    CHECK(scenario.run({"process-wait", "0"}).status == 2);
    CHECK(scenario.run({"process-wait", "--any", "--all", "1"}).status == 2);
}
