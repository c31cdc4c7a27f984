#include "harness/hidden_proc.h"
#include "harness/zombie.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox::test;

namespace {

std::string number(pid_t pid) {
    return fmt::format("{}", pid);
}

constexpr const char* nobody = "4194304"; // no process has this pid

} // namespace

TEST_CASE("a living process is 0, and one that is gone is 1, without a word") {
    Scenario scenario;
    auto job = scenario.start_shell("echo up; read line");
    REQUIRE(job.line() == "up");
    const auto alive = scenario.run({"process-alive", number(job.pid())});
    CHECK(alive.status == 0);
    CHECK(alive.out.empty());
    CHECK(alive.err.empty());
    CHECK(scenario.run({"process-alive", nobody}).status == 1);
    CHECK(scenario.run({"process-alive", nobody, number(job.pid())}).status == 1);
    CHECK(scenario.run({"process-alive", number(job.pid()), number(job.pid())}).status == 0);
}

TEST_CASE("a zombie is 3") {
    Scenario scenario;
    const Zombie zombie{scenario};
    CHECK(scenario.run({"process-alive", zombie.pid}).status == 3);
    const auto told = scenario.run({"process-alive", "-v", zombie.pid});
    CHECK(told.err == fmt::format("process-alive: {} is a zombie\n", zombie.pid));
    CHECK(scenario.run({"process-alive", zombie.pid, nobody}).status == 1);
    CHECK(scenario.run({"process-alive", number(zombie.parent.pid()), zombie.pid}).status == 3);
}

TEST_CASE("an identity outlives the pid") {
    Scenario scenario;
    auto job = scenario.start_shell("echo up; read line");
    REQUIRE(job.line() == "up");
    const auto id = scenario.run({"process-alive", "-i", number(job.pid())}).out;
    CHECK(id.starts_with(number(job.pid()) + ":"));
    const auto identity = id.substr(0, id.size() - 1);
    CHECK(scenario.run({"process-alive", identity}).status == 0);
    // A process with another start time is another process.
    CHECK(scenario.run({"process-alive", identity + "1"}).status == 1);
    job.kill(SIGKILL);
    CHECK(job.wait().status == 137);
    CHECK(scenario.run({"process-alive", identity}).status == 1);
    CHECK(scenario.run({"process-alive", "-i", identity}).out.empty());
}

TEST_CASE("a process of another user is 2") {
    Scenario scenario;
    if (scenario.run({"id", "-u"}).out != "0\n") return;
    // Copy the binary, because that user may not reach its directory.
    const auto result =
        scenario.shell("cp \"$(command -v process-alive)\" ipcbox; chmod 755 . ipcbox; "
                       "exec setpriv --reuid=65534 --clear-groups ./ipcbox process-alive -v $1",
                       {number(::getpid())});
    CHECK(result.err.find(fmt::format(" is alive, but the caller may not signal it: {}:",
                                      ::getpid())) != std::string::npos);
    CHECK(result.status == 2);
}

TEST_CASE("both the text and the JSON report the result") {
    Scenario scenario;
    auto job = scenario.start_shell("echo up; read line");
    REQUIRE(job.line() == "up");
    const auto told = scenario.run({"process-alive", "-v", number(job.pid()), nobody});
    CHECK(told.err.starts_with(fmt::format("process-alive: {} (sh, ", job.pid())));
    CHECK(told.err.find(fmt::format(") is alive: {}:", job.pid())) != std::string::npos);
    CHECK(told.err.ends_with("\nprocess-alive: 4194304 is gone\n"));
    const auto json = scenario.run({"process-alive", "-J", number(job.pid()), nobody});
    CHECK(json.out.starts_with(
        fmt::format(R"({{"v":1,"pid":{0},"state":"alive","id":"{0}:)", job.pid())));
    CHECK(json.out.ends_with("{\"v\":1,\"pid\":4194304,\"state\":\"gone\"}\n"));
}

TEST_CASE("a word that is not a process is refused") {
    Scenario scenario;
    for (const char* text : {"0", "x", "1:", "4194305", ""}) {
        const auto result = scenario.run({"process-alive", text});
        CHECK(result.status == 2);
        CHECK(result.err.find("expected the number of a process (PID) or PID:START") !=
              std::string::npos);
    }
    CHECK(scenario.run({"process-alive"}).status == 2);
    CHECK(scenario.run({"process-alive", "--", "-1"}).status == 2);
}

TEST_CASE("a process is not described by the /proc of another PID namespace") {
    Scenario scenario;
    if (!can_hide_proc(scenario)) return;
    const auto result =
        scenario.run(with_foreign_proc({"sh", "-c", "process-alive -v $$; exit $?"}));
    CHECK(result.err == "process-alive: 1 is alive\n");
    CHECK(result.status == 0);
}
