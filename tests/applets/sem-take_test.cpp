#include "core/io.h"
#include "harness/scenario.h"
#include "sysv/key.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::string_literals;

namespace {

int id_of(const std::string& key) {
    return ::semget(sysv::Key::parse(key).value(), 0, 0);
}

int value_of(const std::string& key) {
    return ::semctl(id_of(key), 0, GETVAL);
}

void create(Scenario& scenario, const std::string& key, int slots = 1) {
    REQUIRE(scenario.run({"sem-create", "-n", fmt::format("{}", slots), key}).status == 0);
}

bool waits(const Process& process) {
    return eventually([&] { return is_blocked_in(process.pid(), SYS_semtimedop); });
}

bool is_free(Scenario& scenario, const std::string& key) {
    return scenario.run({"sem-take", "-w30", key, "true"}).status == 0;
}

// A command that says "taken" and waits for the end of its input.
Words holding(const std::string& key) {
    return {"sem-take", key, "sh", "-c", "echo taken; read line; exit 0"};
}

} // namespace

TEST_CASE("without a command the token outlives us") {
    Scenario scenario;
    create(scenario, scenario.key());
    const auto taken = scenario.run({"sem-take", scenario.key()});
    CHECK(taken.status == 0);
    CHECK(taken.out.empty());
    CHECK(taken.err.empty());
    CHECK(value_of(scenario.key()) == 1);
    const auto busy = scenario.run({"sem-take", "-n", scenario.key()});
    CHECK(busy.status == 1);
    CHECK(busy.err.starts_with(fmt::format("sem-take: {} is taken by ", scenario.key())));
    CHECK(busy.err.ends_with(" (ended)\n"));
    CHECK(scenario.run({"sem-take", "-n", "-q", scenario.key()}).err.empty());
    CHECK(scenario.run({"sem-take", "-w", "1ms", "-E", "75", scenario.key()}).status == 75);
    CHECK(scenario.run({"sem-take", "-n", "-E", "0", scenario.key()}).status == 0);
    CHECK(scenario.run({"sem-give", scenario.key()}).status == 0);
}

TEST_CASE("every form of a key means the same set") {
    Scenario scenario;
    scenario.write_file("lock", "");
    const auto by_path = fmt::format("{}", sysv::Key::parse("./lock").value());
    const auto hexadecimal = fmt::format("{:#x}", sysv::Key::parse(scenario.key()).value());
    create(scenario, scenario.key());
    create(scenario, "./lock");
    create(scenario, scenario.name(), 1);
    const std::array same{std::pair{scenario.key(), hexadecimal}, std::pair{by_path, "./lock"s},
                          std::pair{scenario.name(), scenario.name()}};
    for (const auto& names : same) {
        // clang 14 lets no lambda capture a structured binding.
        const auto& one = names.first;
        const auto& other = names.second;
        CAPTURE(other);
        CHECK(scenario.run({"sem-take", one}).status == 0);
        CHECK(scenario.run({"sem-take", "-nq", other}).status == 1);
        CHECK(scenario.run({"sem-give", other}).status == 0);
    }
    CHECK(::semctl(id_of("./lock"), 0, IPC_RMID) == 0);
}

TEST_CASE("the status is the command's own, and the token comes back") {
    Scenario scenario;
    const auto key = scenario.key();
    create(scenario, key);
    const auto status = [&](const Words& command) {
        Words words{"sem-take", key};
        words.insert(words.end(), command.begin(), command.end());
        const int result = scenario.run(words).status;
        CHECK(value_of(key) == 0);
        return result;
    };
    CHECK(status({"true"}) == 0);
    CHECK(status({"false"}) == 1);
    CHECK(status({"--", "sh", "-c", "exit 42"}) == 42);
    CHECK(status({"sh", "-c", "kill -TERM $$"}) == 128 + SIGTERM);
    CHECK(status({"sh", "-c", "kill -KILL $$"}) == 128 + SIGKILL);
    scenario.write_file("text", "");
    CHECK(status({"./text"}) == 126);
    CHECK(status({"."}) == 126);
    CHECK(status({"./none"}) == 127);
    CHECK(status({"no-such-command"}) == 127);
    CHECK(scenario.run({"sem-take", key, "no-such-command"}).err ==
          "sem-take: cannot execute no-such-command: No such file or directory\n");
}

TEST_CASE("the shell runs a script without #!, as with every other wrapper") {
    Scenario scenario;
    create(scenario, scenario.key());
    scenario.write_file("script", "echo $# \"$@\"; exit 7\n");
    REQUIRE(::chmod("script", S_IRWXU) == 0);
    const auto result = scenario.run({"sem-take", scenario.key(), "./script", "a b", "-c"});
    CHECK(result.status == 7);
    CHECK(result.out == "2 a b -c\n");
    CHECK(value_of(scenario.key()) == 0);
}

TEST_CASE("a -- that no command follows takes nothing") {
    Scenario scenario;
    const auto result =
        scenario.shell("COMMAND=; sem-take -n -j1 $1 -- $COMMAND", {scenario.name()});
    CHECK(result.status == 2);
    CHECK(result.err == "sem-take: the command after -- is missing (see sem-take --help)\n");
    CHECK(id_of(scenario.name()) == -1);
}

TEST_CASE("the command gets its arguments and our input, and is the process that we were") {
    Scenario scenario;
    create(scenario, scenario.key());
    const auto result = scenario.run({"sem-take", scenario.key(), "--", "sh", "-c",
                                      "cat; echo $# \"$@\"", "sh", "-n", "--", "-w", "a b"},
                                     "input\n");
    CHECK(result.out == "input\n4 -n -- -w a b\n");
    auto holder = scenario.start({"sem-take", scenario.key(), "sh", "-c", "echo $$"});
    CHECK(holder.line() == fmt::format("{}", holder.pid()));
    CHECK(holder.wait().status == 0);
}

TEST_CASE("the token comes back from a command that is killed") {
    Scenario scenario;
    create(scenario, scenario.key(2));
    create(scenario, scenario.name(), 2);
    for (const auto& key : {scenario.key(2), scenario.name()}) {
        auto holder = scenario.start(holding(key));
        REQUIRE(holder.line() == "taken");
        holder.kill(SIGKILL);
        CHECK(holder.wait().status == 128 + SIGKILL);
        CHECK(value_of(key) == 0);
    }
}

TEST_CASE("four run at once, and a fifth when one of them has ended") {
    Scenario scenario;
    constexpr std::size_t limit = 4;
    constexpr std::size_t jobs = 12;
    std::vector<Process> processes;
    for (std::size_t job = 0; job < jobs; ++job)
        processes.push_back(scenario.start({"sem-take", "-j", "4", scenario.name(), "--", "sh",
                                            "-c", "echo $$ >>log; read line"}));
    const auto log = [&] { return scenario.exists("log") ? scenario.read_file("log") : ""; };
    const auto is_in = [&](const Process& process) {
        return fmt::format("\n{}", log()).find(fmt::format("\n{}\n", process.pid())) !=
               std::string::npos;
    };
    for (std::size_t ended = 0; ended < jobs; ++ended) {
        // Each taker is inside, or waits in the kernel. So this counts those inside.
        for (const auto& process : processes)
            CHECK(eventually(
                [&] { return is_in(process) || is_blocked_in(process.pid(), SYS_semtimedop); }));
        const auto text = log();
        const auto entered = static_cast<std::size_t>(std::ranges::count(text, '\n'));
        CHECK(entered == std::min(ended + limit, jobs));
        const auto inside = std::ranges::find_if(processes, is_in);
        REQUIRE(inside != processes.end());
        inside->close_input();
        CHECK(inside->wait().status == 1); // read ends at the end of file
        processes.erase(inside);
        // The next taker may get the token before the test looks again, so wait for it.
        if (ended + limit < jobs)
            CHECK(eventually([&] {
                const auto now = log();
                return static_cast<std::size_t>(std::ranges::count(now, '\n')) > entered;
            }));
    }
    CHECK(value_of(scenario.name()) == 0);
}

TEST_CASE("a missing set is an error that says how to make it, unless -j makes it") {
    Scenario scenario;
    const auto missing = scenario.run({"sem-take", scenario.key()});
    CHECK(missing.status == 1);
    CHECK(missing.err == fmt::format("sem-take: cannot take from {0}: there is no such set (create "
                                     "it with sem-create {0}, or use -j)\n",
                                     scenario.key()));
    CHECK(scenario.run({"sem-take", scenario.key(), "true"}).status == 125);
    CHECK(scenario.run({"sem-take", "-j1", scenario.key(), "true"}).status == 0);
    CHECK(scenario.run({"sem-take", "-j2", scenario.name(), "true"}).status == 0);
    CHECK(scenario.run({"sem-take", scenario.name(), "true"}).status == 0);
    const auto other = scenario.run({"sem-take", "-j3", scenario.name(), "true"});
    CHECK(other.status == 125);
    CHECK(other.err == fmt::format("sem-take: cannot create {} with 3 slots: it has 2 slots\n",
                                   scenario.name()));
}

TEST_CASE("a waiter names the processes that have the tokens") {
    Scenario scenario;
    const auto name = scenario.name();
    create(scenario, name, 2);
    auto one = scenario.start(holding(name));
    REQUIRE(one.line() == "taken");
    auto two = scenario.start(holding(name));
    REQUIRE(two.line() == "taken");
    auto waiter = scenario.start({"sem-take", "-v", name, "true"});
    const auto line = waiter.error_line();
    CHECK(line.starts_with(fmt::format("sem-take: waiting for {} (sh, ", one.pid())));
    CHECK(line.find(fmt::format("s), {} (sh, ", two.pid())) != std::string::npos);
    one.close_input();
    const auto result = waiter.wait();
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(scenario.run({"sem-take", "-v", name, "true"}).err.empty()); // no wait, so no line
}

TEST_CASE("a waiter on a terminal names the holder after two seconds, unless -q is given") {
    Scenario scenario;
    const auto key = scenario.key();
    create(scenario, key);
    auto holder = scenario.start(holding(key));
    REQUIRE(holder.line() == "taken");
    const auto on_terminal = [&](const std::string& command) {
        return scenario.start({"script", "-qec", command, "/dev/null"});
    };
    auto quiet = on_terminal(fmt::format("sem-take -q -w 2100ms {}; echo $?", key));
    auto waiter = on_terminal(fmt::format("sem-take {} echo mine", key));
    CHECK(waiter.line().starts_with(fmt::format("sem-take: waiting for {} (sh, ", holder.pid())));
    CHECK(quiet.line() == "1\r");
    holder.close_input();
    CHECK(waiter.line() == "mine\r");
}

TEST_CASE("a failure differs from a busy set: with a command it is 125, whatever -E says") {
    Scenario scenario;
    const auto missing = scenario.run({"sem-take", "-n", "-E", "75", "./nofile", "--", "true"});
    CHECK(missing.status == 125);
    CHECK(missing.err ==
          "sem-take: cannot make a key of ./nofile: No such file or directory (touch "
          "it, or use @name)\n");
    CHECK(scenario.run({"sem-take", "-n", "-E", "75", "./nofile"}).status == 1);
    CHECK(scenario.run({"sem-take", "-n", "-E", "75", scenario.name(), "true"}).status == 125);
}

TEST_CASE("a wait that would never end is refused immediately") {
    Scenario scenario;
    for (const auto& key : {scenario.key(), scenario.name()}) {
        create(scenario, key);
        for (const Words& inner :
             {Words{"sem-take", key, "--", "true"}, Words{"sem-take", "-w", "1h", key, "true"},
              Words{"sh", "-c", "sem-take $1 true; exit $?", "sh", key},
              Words{"sem-take", "-s", key, "true"}}) {
            CAPTURE(inner[0]);
            Words words{"sem-take", key, "--"};
            words.insert(words.end(), inner.begin(), inner.end());
            const auto result = scenario.run(words);
            CHECK(result.status == 125);
            CHECK(result.err.starts_with(fmt::format("sem-take: cannot take from {}: ", key)));
            CHECK(result.err.ends_with(" has a token, and is this process or an ancestor of it, so "
                                       "this would wait forever\n"));
        }
        CHECK(scenario.run({"sem-take", key, "sem-take", "-n", "-E9", key, "true"}).status == 9);
        CHECK(scenario.run({"sem-take", key, "sem-take", "--wait-all", key}).status == 1);
        // A keeper can hold the token for the test, or for the script that started the test.
        const std::string script = "sem-take --hold-for $$ $1 && sem-take $1 true; echo $?";
        CHECK(scenario.shell(script, {key}).out == "125\n");
        CHECK(scenario.shell("sem-take --hold-for $$ $1 && sem-take $1; echo $?", {key}).out ==
              "1\n");
        CHECK(scenario.run({"sem-take", "-s", key, "sem-take", key, "true"}).status == 125);
        CHECK(scenario.run({"sem-take", "-s", key, "sem-take", "-s", key, "true"}).status == 0);
    }
    // The wait can end if there is a second token, or if a stranger could give one.
    const auto name = scenario.name(1);
    create(scenario, name, 2);
    CHECK(scenario.run({"sem-take", name, "sem-take", name, "true"}).status == 0);
    auto stranger = scenario.start(holding(name));
    REQUIRE(stranger.line() == "taken");
    auto waiter = scenario.start({"sem-take", name, "sem-take", name, "true"});
    CHECK(waits(waiter));
    stranger.close_input();
    CHECK(waiter.wait().status == 0);
}

TEST_CASE("many share a set, and no exclusive taker is inside meanwhile") {
    Scenario scenario;
    for (const auto& key : {scenario.key(), scenario.name()}) {
        create(scenario, key);
        const Words reader{"sem-take", "-s", key, "sh", "-c", "echo in; read line; exit 0"};
        auto one = scenario.start(reader);
        REQUIRE(one.line() == "in");
        auto two = scenario.start(reader);
        REQUIRE(two.line() == "in");
        const auto busy = scenario.run({"sem-take", "-n", key, "true"});
        CHECK(busy.status == 1);
        CHECK(busy.err == fmt::format("sem-take: {} is taken by 2 processes that share it\n", key));
        auto writer = scenario.start(holding(key));
        CHECK(waits(writer));
        one.close_input();
        CHECK(one.wait().status == 0);
        CHECK(scenario.run({"sem-take", "-n", key, "true"}).err ==
              fmt::format("sem-take: {} is taken by 1 process that shares it\n", key));
        CHECK(waits(writer));
        two.kill(SIGKILL);
        REQUIRE(writer.line() == "taken");
        CHECK(scenario.run({"sem-take", "-n", "-q", "-s", key, "true"}).status == 1);
        writer.close_input();
        CHECK(writer.wait().status == 0);
        CHECK(value_of(key) == 0);
        // A keeper can hold it until a process ends.
        CHECK(scenario
                  .shell("sem-take -s --hold-for $$ $1 && sem-take -s -n $1 true && "
                         "sem-take -nq $1; echo $?",
                         {key})
                  .out == "1\n");
        CHECK(is_free(scenario, key));
    }
}

TEST_CASE("--wait-all waits until all tokens are back, and takes none") {
    Scenario scenario;
    const auto name = scenario.name();
    create(scenario, name, 2);
    CHECK(scenario.run({"sem-take", "--wait-all", name}).status == 0);
    auto job = scenario.start(holding(name));
    REQUIRE(job.line() == "taken");
    CHECK(scenario.run({"sem-take", "--wait-all", "-n", "-q", "-E", "7", name}).status == 7);
    CHECK(scenario.run({"sem-take", "--wait-all", "-w", "1ms", "-J", "-q", name})
              .out.ends_with("\"free\":false}\n"));
    auto waiter = scenario.start({"sem-take", "--wait-all", name});
    CHECK(waits(waiter));
    job.close_input();
    CHECK(waiter.wait().status == 0);
    CHECK(value_of(name) == 0);
    CHECK(scenario.run({"sem-take", "--wait-all", scenario.name(1)}).status == 1); // no such set
}

TEST_CASE("-j makes the set with the mode of -m, and says on request that it does") {
    Scenario scenario;
    const auto name = scenario.name();
    const auto made = scenario.run({"sem-take", "-v", "-j", "4", "-m", "660", name, "true"});
    CHECK(made.status == 0);
    CHECK(made.err == fmt::format("sem-take: created the set {} with 4 slots\n", name));
    semid_ds status{};
    REQUIRE(::semctl(id_of(name), 0, IPC_STAT, &status) == 0);
    CHECK((status.sem_perm.mode & 0777U) == 0660);
    CHECK(scenario.run({"sem-take", "-v", "-j", "4", name, "true"}).err.empty());
}

TEST_CASE("a waiter that is ended leaves no trace") {
    Scenario scenario;
    create(scenario, scenario.key());
    create(scenario, scenario.name(), 1);
    for (const auto& key : {scenario.key(), scenario.name()}) {
        REQUIRE(scenario.run({"sem-take", key}).status == 0);
        const int before = value_of(key);
        for (const int signal : {SIGTERM, SIGINT, SIGKILL}) {
            for (const Words& command : {Words{}, Words{"true"}, Words{}}) {
                Words words{"sem-take", key};
                words.insert(words.end(), command.begin(), command.end());
                auto waiter = scenario.start(words);
                CHECK(waits(waiter));
                waiter.kill(signal);
                const auto result = waiter.wait();
                CHECK(result.status == 128 + signal);
                CHECK(result.err.empty());
                CHECK(value_of(key) == before);
            }
        }
        CHECK(scenario.run({"sem-give", key}).status == 0);
    }
}

TEST_CASE("a waiter whose set is removed fails and says so") {
    Scenario scenario;
    for (const Words& command : {Words{}, Words{"true"}}) {
        create(scenario, scenario.key());
        REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
        Words words{"sem-take", scenario.key()};
        words.insert(words.end(), command.begin(), command.end());
        auto waiter = scenario.start(words);
        CHECK(waits(waiter));
        REQUIRE(::semctl(id_of(scenario.key()), 0, IPC_RMID) == 0);
        const auto result = waiter.wait();
        CHECK(result.status == (command.empty() ? 1 : 125));
        CHECK(result.err == fmt::format("sem-take: cannot use semaphore set {}: it was removed\n",
                                        scenario.key()));
    }
}

TEST_CASE("a value at its maximum is reported in words") {
    Scenario scenario;
    create(scenario, scenario.name(), 2);
    constexpr int most = 32766; // the largest even value
    REQUIRE(::semctl(id_of(scenario.name()), 0, SETVAL, most) == 0);
    const auto result = scenario.run({"sem-take", scenario.name()});
    CHECK(result.status == 1);
    CHECK(result.err ==
          fmt::format("sem-take: cannot use semaphore set {}: its value is at its maximum\n",
                      scenario.name()));
}

TEST_CASE("-J tells the outcome, and a token whose outcome cannot be told is not taken") {
    Scenario scenario;
    create(scenario, scenario.key());
    const auto object = [&](std::string_view taken) {
        return fmt::format(R"({{"v":1,"key":"{}","id":{},"taken":{}}})"
                           "\n",
                           scenario.key(), id_of(scenario.key()), taken);
    };
    for (const char* redirection : {">/dev/full", ">&-"}) {
        const auto lost =
            scenario.shell(fmt::format("sem-take -J $1 {}", redirection), {scenario.key()});
        CHECK(lost.status == 1);
        CHECK(lost.err.starts_with("sem-take: cannot write standard output: "));
        CHECK(value_of(scenario.key()) == 0);
        const auto kept = fmt::format("sem-take -J --hold-for $$ $1 {}", redirection);
        CHECK(scenario.shell(kept, {scenario.key()}).status == 1);
        CHECK(value_of(scenario.key()) == 0);
    }
    CHECK(scenario.run({"sem-take", "-J", scenario.key()}).out == object("true"));
    CHECK(scenario.run({"sem-take", "-J", "-n", "-q", scenario.key()}).out == object("false"));
    CHECK(scenario.run({"sem-give", scenario.key()}).status == 0);
    CHECK(scenario.shell("sem-take -J --hold-for $$ $1; read line", {scenario.key()}).out ==
          object("true"));
}

TEST_CASE("a keeper holds the token until its owner ends, and keeps nothing else busy") {
    Scenario scenario;
    for (const auto& key : {scenario.key(), scenario.name()}) {
        create(scenario, key);
        auto shell = scenario.start_shell("exec 9>&1; out=$(sem-take --hold-for PPID $1) && "
                                          "echo held; exec >&- 9>&-; read line",
                                          {key});
        CHECK(shell.line() == "held");
        CHECK(shell.line().empty()); // end of file: no process holds its output
        const auto busy = scenario.run({"sem-take", "-n", key});
        CHECK(busy.status == 1);
        CHECK(busy.err.starts_with(
            fmt::format("sem-take: {} is taken by {} (sh, ", key, shell.pid())));
        const auto refused = scenario.run({"sem-give", key});
        CHECK(refused.status == 1);
        CHECK(refused.err.starts_with(
            fmt::format("sem-give: {}: not given: {} (sh, ", key, shell.pid())));
        shell.kill(SIGKILL);
        (void)shell.wait();
        CHECK(is_free(scenario, key));
    }
}

TEST_CASE("a keeper's owner, or a child of it, can give the token") {
    Scenario scenario;
    for (const auto& key : {scenario.key(), scenario.name()}) {
        create(scenario, key);
        // sem-give may run in a child, and the keeper may ignore SIGTERM.
        for (const char* script :
             {"sem-take --hold-for PPID $1 && sem-give $1; echo $?",
              "sem-take --hold-for $$ $1 && (sem-give $1; echo $?)",
              "trap '' TERM; sem-take --hold-for $$ $1 && sem-give $1; echo $?"}) {
            const auto result = scenario.shell(script, {key});
            CHECK(result.out == "0\n");
            CHECK(result.err.empty());
            CHECK(value_of(key) == 0);
        }
    }
}

TEST_CASE("the keeper waits with us and ends with us") {
    Scenario scenario;
    const auto key = scenario.key();
    create(scenario, key);
    REQUIRE(scenario.run({"sem-take", key}).status == 0);
    const auto own = fmt::format("{}", ::getpid());
    const auto waiting = [&] { return ::semctl(id_of(key), 0, GETZCNT); };

    const auto busy = scenario.run({"sem-take", "-n", "-E9", "--hold-for", own, key});
    CHECK(busy.status == 9);
    CHECK(busy.err.starts_with(fmt::format("sem-take: {} is taken by ", key)));
    for (const int signal : {SIGTERM, SIGKILL}) {
        auto waiter = scenario.start({"sem-take", "--hold-for", own, key});
        CHECK(eventually([&] { return waiting() == 1; }));
        waiter.kill(signal);
        CHECK(waiter.wait().status == 128 + signal);
        CHECK(eventually([&] { return waiting() == 0; }));
    }
    auto waiter = scenario.start({"sem-take", "--hold-for", own, key});
    CHECK(eventually([&] { return waiting() == 1; }));
    CHECK(scenario.run({"sem-give", key}).status == 0);
    CHECK(waiter.wait().status == 0);
    CHECK(value_of(key) == 6);                          // the value of a keeper
    CHECK(scenario.run({"sem-give", key}).status == 0); // we are an ancestor of sem-give
}

TEST_CASE("an invalid command line is status 2") {
    Scenario scenario;
    const auto key = scenario.key();
    for (const Words& words :
         {Words{"sem-take", "-w", "soon"}, Words{"sem-take", "-E", "256"},
          Words{"sem-take", "-j", "0"}, Words{"sem-take", "--hold-for", "me"},
          Words{"sem-take", "--hold-for", "0"}, Words{"sem-take", "--hold-for", "1", key, "true"},
          Words{"sem-take", "-J", key, "true"}, Words{"sem-take", "-s", key},
          Words{"sem-take", "-m", "600", key}, Words{"sem-take", "--wait-all", key, "true"},
          Words{"sem-take", "--wait-all", "-j1", key}, Words{"sem-take", "--wait-all", "-s", key},
          Words{"sem-take", "--wait-all", "--hold-for", "1", key}, Words{"sem-take", "0"},
          Words{"sem-take", "-Z"}}) {
        const auto result = scenario.run(words);
        CHECK(result.status == 2);
        CHECK(result.err.starts_with("sem-take: "));
        CHECK(result.err.ends_with("(see sem-take --help)\n"));
    }
    const auto nobody = scenario.run({"sem-take", "-j1", "--hold-for", "4194304", key});
    CHECK(nobody.status == 1);
    CHECK(nobody.err == "sem-take: cannot hold for 4194304: no such process\n");
}
