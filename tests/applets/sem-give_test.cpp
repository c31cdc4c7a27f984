#include "harness/scenario.h"
#include "sysv/key.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

int value_of(const std::string& key) {
    return ::semctl(::semget(sysv::Key::parse(key).value(), 0, 0), 0, GETVAL);
}

} // namespace

TEST_CASE("sem-give gives a token that was taken, once") {
    Scenario scenario;
    const auto give_twice = [&](const std::string& key) {
        REQUIRE(scenario.run({"sem-take", key}).status == 0);
        const auto given = scenario.run({"sem-give", key});
        CHECK(given.status == 0);
        CHECK(given.out.empty());
        CHECK(given.err.empty());
        const auto again = scenario.run({"sem-give", key});
        CHECK(again.status == 1);
        CHECK(again.err == fmt::format("sem-give: {}: not taken\n", key));
        CHECK(value_of(key) == 0);
    };
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    give_twice(scenario.key());
    REQUIRE(scenario.run({"sem-create", "-n", "2", scenario.name()}).status == 0);
    give_twice(scenario.name());
}

TEST_CASE("-q, -E and -J do as they say") {
    Scenario scenario;
    const auto made = scenario.run({"sem-create", scenario.key()});
    const auto id = made.out.substr(0, made.out.find('\n'));
    CHECK(scenario.run({"sem-give", "-q", scenario.key()}).err.empty());
    CHECK(scenario.run({"sem-give", "-E", "9", scenario.key()}).status == 9);
    CHECK(scenario.run({"sem-give", "-J", "-q", scenario.key()}).out ==
          fmt::format(R"({{"v":1,"key":"{}","id":{},"given":false,"taken":0}})"
                      "\n",
                      scenario.key(), id));
    REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
    CHECK(scenario.run({"sem-give", "-J", scenario.key()}).out ==
          fmt::format(R"({{"v":1,"key":"{}","id":{},"given":true,"taken":0}})"
                      "\n",
                      scenario.key(), id));
    CHECK(scenario.shell("sem-give -J -q $1 >/dev/full", {scenario.key()}).status == 1);
}

TEST_CASE("sem-give -w waits for a token to be taken") {
    Scenario scenario;
    for (const auto& key : {scenario.key(), scenario.name()}) {
        REQUIRE(scenario.run({"sem-create", "-n", key[0] == '@' ? "2" : "1", key}).status == 0);
        CHECK(scenario.run({"sem-give", "-w", "1ms", key}).status == 1);
        auto giver = scenario.start({"sem-give", "-w", "30", key});
        CHECK(eventually([&] { return is_blocked_in(giver.pid(), SYS_semtimedop); }));
        REQUIRE(scenario.run({"sem-take", key}).status == 0);
        CHECK(giver.wait().status == 0);
    }
}

TEST_CASE("a giver whose set is removed fails and says so") {
    Scenario scenario;
    const auto made = scenario.run({"sem-create", scenario.key()});
    auto giver = scenario.start({"sem-give", "-w", "30", scenario.key()});
    CHECK(eventually([&] { return is_blocked_in(giver.pid(), SYS_semtimedop); }));
    REQUIRE(::semctl(std::stoi(made.out), 0, IPC_RMID) == 0);
    const auto result = giver.wait();
    CHECK(result.status == 1);
    CHECK(result.err ==
          fmt::format("sem-give: cannot use semaphore set {}: it was removed\n", scenario.key()));
    CHECK(scenario.run({"sem-give", scenario.key()}).err ==
          fmt::format("sem-give: cannot give to {}: there is no such set\n", scenario.key()));
}

TEST_CASE("sem-give refuses to give the token of a running command") {
    Scenario scenario;
    const auto refuses = [&](const std::string& key, const Words& take) {
        auto holder = scenario.start(take);
        REQUIRE(holder.line() == "taken");
        const auto refused = scenario.run({"sem-give", key});
        CHECK(refused.status == 1);
        CHECK(refused.err.starts_with(
            fmt::format("sem-give: {}: not given: {} (sh, ", key, holder.pid())));
        CHECK(refused.err.ends_with(") has it until it ends\n"));
        CHECK(scenario.run({"sem-take", "-n", "-q", key}).status == 1);
        holder.close_input();
        CHECK(holder.wait().status == 0);
        CHECK(value_of(key) == 0);
    };
    const auto key = scenario.key();
    const auto name = scenario.name();
    const std::string script = "echo taken; read line; exit 0";
    REQUIRE(scenario.run({"sem-create", key}).status == 0);
    refuses(key, {"sem-take", key, "sh", "-c", script});
    refuses(name, {"sem-take", "-j1", name, "sh", "-c", script});

    // The command can have the tokens of two plain sets.
    const auto second = scenario.key(1);
    REQUIRE(scenario.run({"sem-create", second}).status == 0);
    refuses(key, {"sem-take", key, "sem-take", second, "sh", "-c", script});
    refuses(second, {"sem-take", key, "sem-take", second, "sh", "-c", script});
}

TEST_CASE("sem-give refuses to give the token of a command that it cannot see") {
    Scenario scenario;
    const auto key = scenario.key();
    REQUIRE(scenario.run({"sem-create", key}).status == 0);
    const auto is_safe = [&](const Words& command) {
        Words words{"sem-take", key};
        words.insert(words.end(), command.begin(), command.end());
        auto holder = scenario.start(words);
        REQUIRE(holder.line() == "taken");
        CHECK(scenario.run({"sem-give", "-q", key}).status == 1);
        CHECK(scenario.run({"sem-take", "-nq", key}).status == 1);
        if (::geteuid() == 0)
            // Here, no process can be seen.
            CHECK(scenario
                      .run({"unshare", "--mount", "sh", "-c",
                            "mount -t tmpfs none /proc && sem-give -q $1", "sh", key})
                      .status == 1);
        holder.close_input();
        CHECK(holder.wait().status == 0);
        CHECK(value_of(key) == 0);
    };
    const std::string script = "echo taken; read line; exit 0";
    const auto sh = scenario.shell("command -v sh").out;
    is_safe({"env", "-i", sh.substr(0, sh.find('\n')), "-c", script});
    is_safe({"perl", "-e", "$| = 1; $0 = 'hold:1'; print qq(taken\n); <STDIN>"});
    if (::geteuid() != 0) {
        MESSAGE("not root: no PID namespace of our own");
        return;
    }
    is_safe({"unshare", "--pid", "--fork", "--kill-child", "sh", "-c", script});
    is_safe({"setpriv", "--reuid=65534", "sh", "-c", script});
}

TEST_CASE("sem-give refuses to give a set that is shared") {
    Scenario scenario;
    for (const auto& key : {scenario.key(), scenario.name()}) {
        REQUIRE(scenario.run({"sem-create", key}).status == 0);
        auto one = scenario.start({"sem-take", "-s", key, "sh", "-c", "echo in; read line"});
        REQUIRE(one.line() == "in");
        const auto refused = scenario.run({"sem-give", key});
        CHECK(refused.status == 1);
        CHECK(refused.err.starts_with(
            fmt::format("sem-give: {}: not given: {} (sh, ", key, one.pid())));
        CHECK(refused.err.ends_with(" has it until it ends\n"));
        auto two = scenario.start({"sem-take", "-s", key, "sh", "-c", "echo in; read line"});
        REQUIRE(two.line() == "in");
        CHECK(contains(scenario.run({"sem-give", key}).err,
                       "not given: 2 processes that share it have it until they end"));
    }
}

TEST_CASE("sem-give gives a lent token while a command has another one") {
    Scenario scenario;
    const auto name = scenario.name();
    auto holder = scenario.start({"sem-take", "-j2", name, "sh", "-c", "echo taken; read line"});
    REQUIRE(holder.line() == "taken");
    CHECK(scenario.run({"sem-give", "-q", name}).status == 1);
    REQUIRE(scenario.run({"sem-take", name}).status == 0);
    CHECK(scenario.run({"sem-give", name}).status == 0);
    CHECK(scenario.run({"sem-give", "-q", name}).status == 1);
}

TEST_CASE("many givers never give more than was taken") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", "-n", "3", scenario.name()}).status == 0);
    for (int count = 0; count < 3; ++count)
        REQUIRE(scenario.run({"sem-take", scenario.name()}).status == 0);
    std::vector<Process> givers;
    for (int count = 0; count < 8; ++count)
        givers.push_back(scenario.start({"sem-give", "-q", scenario.name()}));
    int given = 0;
    for (auto& giver : givers)
        given += giver.wait().status == 0 ? 1 : 0;
    CHECK(given == 3);
    CHECK(scenario.run({"sem-create", "-J", "-n3", scenario.name()})
              .out.ends_with("\"slots\":3,\"taken\":0}\n"));
}

TEST_CASE("an invalid command line is status 2") {
    Scenario scenario;
    CHECK(scenario.run({"sem-give", "-w", "soon"}).status == 2);
    CHECK(scenario.run({"sem-give", "-E", "256"}).status == 2);
    CHECK(scenario.run({"sem-give", scenario.key(), "extra"}).status == 2);
    const auto missing = scenario.run({"sem-give", scenario.key()});
    CHECK(missing.status == 1);
    CHECK(contains(missing.err, "there is no such set"));
}
