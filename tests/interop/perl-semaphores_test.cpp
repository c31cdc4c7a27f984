// Perl programs that take and give as in perlipc, and our applets, wait for each other on the same
// key.
#include "harness/scenario.h"
#include "sysv/key.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/sem.h>
#include <sys/syscall.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

std::string script(const char* name) {
    return fmt::format("{}/{}", std::getenv("IPCBOX_INTEROP"), name);
}

Words perl_take(const std::string& key) {
    return {"perl", script("take.pl"), key};
}
Words perl_give(const std::string& key) {
    return {"perl", script("give.pl"), key};
}

// The key as a number, because Perl does not know our names.
std::string number_of(const std::string& key) {
    return fmt::format("{}", sysv::Key::parse(key).value());
}

int value_of(const std::string& key) {
    return ::semctl(::semget(sysv::Key::parse(key).value(), 0, 0), 0, GETVAL);
}

bool waits(const Process& process) {
    return eventually([&] {
        return is_blocked_in(process.pid(), SYS_semop) ||
               is_blocked_in(process.pid(), SYS_semtimedop);
    });
}

// Runs BODY with a plain, a counting and a named set.
template <class Body> void on_each_shape(Body body) {
    Scenario scenario;
    const std::array sets{std::pair{scenario.key(), "1"}, std::pair{scenario.key(1), "3"},
                          std::pair{scenario.name(), "2"}};
    for (const auto& set : sets) {
        // clang 14 lets no lambda capture a structured binding.
        const auto& key = set.first;
        const auto& slots = set.second;
        CAPTURE(key);
        REQUIRE(scenario.run({"sem-create", "-n", slots, key}).status == 0);
        body(scenario, key);
        CHECK(value_of(key) == 0);
    }
}

} // namespace

TEST_CASE("we wait for Perl's token until Perl gives it") {
    on_each_shape([](Scenario& scenario, const std::string& key) {
        REQUIRE(scenario.run(perl_take(number_of(key))).out == "taken\n");
        CHECK(scenario.run({"sem-take", "-nq", key}).status == 1);
        auto waiter = scenario.start({"sem-take", key, "echo", "mine"});
        CHECK(waits(waiter));
        CHECK(scenario.run(perl_give(number_of(key))).status == 0);
        const auto result = waiter.wait();
        CHECK(result.status == 0);
        CHECK(result.out == "mine\n");
    });
}

TEST_CASE("Perl waits for our token until we give it") {
    on_each_shape([](Scenario& scenario, const std::string& key) {
        REQUIRE(scenario.run({"sem-take", key}).status == 0);
        auto waiter = scenario.start(perl_take(number_of(key)));
        CHECK(waits(waiter));
        CHECK(scenario.run({"sem-give", key}).status == 0);
        CHECK(waiter.wait().out == "taken\n");
        CHECK(scenario.run(perl_give(number_of(key))).status == 0);
    });
}

TEST_CASE("Perl waits for our command until it ends, no matter how it ends") {
    on_each_shape([](Scenario& scenario, const std::string& key) {
        auto holder = scenario.start({"sem-take", key, "sh", "-c", "echo in; read line"});
        REQUIRE(holder.line() == "in");
        auto waiter = scenario.start(perl_take(number_of(key)));
        CHECK(waits(waiter));
        holder.kill(SIGKILL);
        CHECK(waiter.wait().out == "taken\n");
        CHECK(scenario.run(perl_give(number_of(key))).status == 0);
    });
}

TEST_CASE("we give the token that Perl took, although Perl still runs") {
    on_each_shape([](Scenario& scenario, const std::string& key) {
        auto words = perl_take(number_of(key));
        words.emplace_back("stay");
        auto holder = scenario.start(words);
        REQUIRE(holder.line() == "taken");
        const auto busy = scenario.run({"sem-take", "-n", key});
        CHECK(busy.err.starts_with(
            fmt::format("sem-take: {} is taken by {} (perl, ", key, holder.pid())));
        CHECK(scenario.run({"sem-give", key}).status == 0);
        CHECK(scenario.run({"sem-give", "-q", key}).status == 1);
        CHECK(holder.is_running());
    });
}

TEST_CASE("Perl gives the token that we took, on a plain set") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
    CHECK(scenario.run(perl_give(scenario.key())).status == 0);
    auto giver = scenario.start(perl_give(scenario.key()));
    CHECK(waits(giver)); // the give of perlipc waits until a process takes
    REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
    CHECK(giver.wait().status == 0);
    CHECK(value_of(scenario.key()) == 0);
}

TEST_CASE("we use a set that Perl created") {
    Scenario scenario;
    const auto made = scenario.run({"perl", "-e", "print semget(shift, 1, 0666 | 01000), qq(\\n)",
                                    scenario.key()}); // IPC_CREAT
    CHECK(scenario.run({"sem-create", scenario.key()}).out == made.out);
    CHECK(scenario.run({"sem-take", scenario.key(), "true"}).status == 0);
}

TEST_CASE("a path means the same key to Perl") {
    Scenario scenario;
    scenario.write_file("lock", "");
    const auto perl = scenario.run({"perl", "-MIPC::SysV=ftok", "-e", "print ftok(shift)", "lock"});
    CHECK(perl.out == number_of("./lock"));
}

TEST_CASE("Perl's loops and ours count together without losing one") {
    on_each_shape([](Scenario& scenario, const std::string& key) {
        scenario.write_file("count", "0\n");
        // Each program reads a count and writes it back, so two at the same time would lose a
        // count. On a counting set, several of our commands may run together, so they check only
        // that no Perl program runs.
        const bool alone =
            value_of(key) == 0 && scenario.run({"sem-create", "-n1", key}).status == 0;
        const std::string ours =
            alone
                ? "for i in 1 2 3 4 5; do sem-take $1 sh -c 'read n <count; echo $((n + 1)) "
                  ">count'; done"
                : "for i in 1 2 3 4 5; do sem-take $1 sh -c 'test ! -e perl-is-in' || exit 1; done";
        const std::string perls =
            "for i in 1 2 3 4 5; do perl $2/take.pl $3 >&2 || exit 1; >perl-is-in; "
            "read n <count; echo $((n + 1)) >count; rm perl-is-in; perl $2/give.pl $3; done";
        std::vector<Process> loops;
        for (int loop = 0; loop < 3; ++loop) {
            loops.push_back(scenario.start_shell(ours, {key}));
            loops.push_back(
                scenario.start_shell(perls, {key, std::getenv("IPCBOX_INTEROP"), number_of(key)}));
        }
        for (auto& loop : loops)
            CHECK(loop.wait().status == 0);
        CHECK(scenario.read_file("count") == (alone ? "30\n" : "15\n"));
    });
}
