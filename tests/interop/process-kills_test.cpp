// Supervisors, commands and their children are killed at random, again and again. No process is
// left, no lock is held, and no status is wrong. IPCBOX_SOAK=60 does this for 60 seconds.
#include "harness/kills.h"
#include "harness/scenario.h"

#include "core/deadline.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

struct Supervisor {
    Words words;
    // This supervisor ends the processes that its command left behind, so its command may have
    // children. The test does not kill the supervisor itself, because nobody could end those
    // children then.
    bool ends_all = false;
};

const std::vector<Supervisor>& supervisors() {
    static const std::vector<Supervisor> all{
        {{"timeout-run", "1m"}},
        {{"signal-run", "--rewrite", "USR1:TERM"}},
        {{"lock-run", "lock"}},
        {{"lock-run", "-o", "lock"}},
        {{"lock-run", "--max-hold", "1m", "lock"}},
        {{"reap-run", "--"}},
        {{"reap-run", "--kill-orphans", "TERM:0.1s,KILL", "--"}, true},
    };
    return all;
}

// These end at the end of their standard input, or when they are killed.
constexpr const char* alone = "echo up; read line; exit 3";
constexpr const char* family = "exec 3<&0; setsid sh -c 'trap \"\" TERM; read line <&3' & "
                               "(read line <&3) & echo up; read line; exit 3";

constexpr std::array signals{SIGKILL, SIGTERM, SIGINT, SIGKILL};

bool is_possible(int status) {
    return status == 3 ||
           std::ranges::any_of(signals, [status](int signal) { return status == 128 + signal; });
}

} // namespace

TEST_CASE("after random kills, no process is left, no lock is held and every status is right") {
    Scenario scenario;
    const char* const soak = std::getenv("IPCBOX_SOAK");
    const auto end = Deadline::after(std::chrono::seconds{soak != nullptr ? std::atoi(soak) : 3});
    std::minstd_rand random{static_cast<unsigned>(::getpid())};
    int rounds = 0;
    constexpr int least = 4;
    for (; !end.passed() || rounds < least; ++rounds) {
        const auto& [options, ends_all] = supervisors()[random() % supervisors().size()];
        Words words = options;
        for (const char* word : {"sh", "-c", ends_all ? family : alone})
            words.emplace_back(word);
        CAPTURE(fmt::format("{}", fmt::join(words, " ")));
        auto supervisor = scenario.start(words);
        REQUIRE(supervisor.line() == "up");
        const auto kills = 1 + random() % 3;
        for (unsigned number = 0; number < kills; ++number) {
            auto pids = process::descendants_of(supervisor.pid());
            if (!ends_all || pids.empty()) pids.push_back(supervisor.pid());
            if (!ends_all || pids.front() != supervisor.pid())
                (void)signal_one_of(pids, signals[random() % signals.size()], random);
        }
        supervisor.close_input();
        const int status = supervisor.wait().status;
        CHECK_MESSAGE(is_possible(status), status);
        CHECK(eventually(is_all_gone));
        CHECK(scenario.run({"lock-run", "-n", "lock", "true"}).status == 0);
    }
    MESSAGE(rounds, " rounds");
}
