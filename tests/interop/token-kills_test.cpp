// Tokens are taken and given again and again, while the processes that take, keep and give them are
// killed at random, and the commands too. At the end, each set has all its tokens.
// IPCBOX_LOAD=100000 takes this many.
#include "harness/kills.h"
#include "harness/scenario.h"

#include "sysv/token_set.h"

#include <csignal>
#include <deque>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

constexpr int killed = 128 + SIGKILL;
constexpr int slots = 3;
constexpr auto longest_pause = 2ms;

int taken(const std::string& key) {
    return sysv::TokenSet::find(sysv::Key::parse(key)).value().taken();
}

// Checks that exactly TOKENS tokens can be taken, and gives them back.
void check_is_whole(Scenario& scenario, const std::string& key, int tokens) {
    CHECK(eventually([&] { return taken(key) == 0; }));
    CHECK(scenario.run({"sem-take", "--wait-all", "-n", key}).status == 0);
    for (int number = 0; number < tokens; ++number)
        CHECK(scenario.run({"sem-take", "-n", key}).status == 0);
    CHECK(scenario.run({"sem-take", "-n", key}).status == 1);
    for (int number = 0; number < tokens; ++number)
        CHECK(scenario.run({"sem-give", key}).status == 0);
    CHECK(taken(key) == 0);
}

struct Tally {
    int taken = 0;
    int kills = 0;
};

// Starts a taker with a command, a reader, or a script with a keeper.
Process start_taker(Scenario& scenario, const std::string& key, std::minstd_rand& random) {
    switch (random() % 6) {
    case 0: // PPID would be wrong: it is our pid if the shell has been killed
        return scenario.start_shell("sem-take --hold-for $$ \"$1\"; :", {key});
    case 1:
        return scenario.start({"sem-take", "-s", key, "--", "true"});
    default:
        return scenario.start({"sem-take", key, "--", "true"});
    }
}

// A killed taker says nothing. Every other one must have got a token.
void finish(Process taker) {
    const auto result = taker.wait();
    CAPTURE(result.err);
    CHECK((result.status == 0 || result.status == killed));
}

// A set of one token, and a set of several.
struct Sets {
    explicit Sets(Scenario& scenario) : plain(scenario.key()), counting(scenario.name()) {
        REQUIRE(scenario.run({"sem-create", plain}).status == 0);
        REQUIRE(scenario.run({"sem-create", "-n", fmt::format("{}", slots), counting}).status == 0);
    }
    [[nodiscard]] const std::string& one_of(std::minstd_rand& random) const {
        return random() % 2 == 0 ? plain : counting;
    }

    std::string plain;
    std::string counting;
};

} // namespace

TEST_CASE("tokens that are held until a process ends come back, no matter what is killed") {
    const int total = load_size(300);
    constexpr int takers_of_a_round = 50;
    constexpr std::size_t max_takers = 8;
    Scenario scenario;
    const Sets sets{scenario};
    std::minstd_rand random{static_cast<unsigned>(::getpid())};
    Tally tally;
    while (tally.taken < total) {
        std::deque<Process> takers;
        for (int number = 0; number < takers_of_a_round; ++number) {
            takers.push_back(start_taker(scenario, sets.one_of(random), random));
            ++tally.taken;
            if (random() % 4 == 0) {
                go_on_for_up_to(longest_pause, random);
                if (signal_one_of(process::descendants_of(::getpid()), SIGKILL, random) != 0)
                    ++tally.kills;
            }
            if (takers.size() < max_takers) continue;
            finish(std::move(takers.front()));
            takers.pop_front();
        }
        for (; !takers.empty(); takers.pop_front())
            finish(std::move(takers.front()));
        // Processes that have lost their parent are our children now.
        CHECK(eventually(is_all_gone));
    }
    MESSAGE(tally.taken, " taken, ", tally.kills, " kills");
    CHECK(tally.kills > 0);
    check_is_whole(scenario, sets.plain, 1);
    check_is_whole(scenario, sets.counting, slots);
}

// If a process is killed, nobody gives its token back. But each step that it took was taken as a
// whole.
TEST_CASE("a killed sem-take or sem-give has moved one token or none") {
    const int total = load_size(300);
    Scenario scenario;
    const Sets sets{scenario};
    std::minstd_rand random{static_cast<unsigned>(::getpid())};
    Tally tally;
    while (tally.taken < total) {
        const auto& key = sets.one_of(random);
        const int before = taken(key);
        struct Step {
            int change;
            Process process;
        };
        std::vector<Step> steps;
        for (auto number = 1 + random() % 4; number > 0; --number) {
            const bool takes = random() % 2 == 0;
            steps.push_back({takes ? 1 : -1, scenario.start(takes ? Words{"sem-take", "-n", key}
                                                                  : Words{"sem-give", key})});
            if (takes) ++tally.taken;
        }
        if (random() % 2 == 0) {
            go_on_for_up_to(longest_pause, random);
            steps[random() % steps.size()].process.kill(SIGKILL);
            ++tally.kills;
        }
        int min_taken = before;
        int max_taken = before;
        for (auto& [change, process] : steps) {
            const auto result = process.wait();
            CAPTURE(result.err);
            CHECK((result.status == 0 || result.status == 1 || result.status == killed));
            if (result.status == 0 || (result.status == killed && change < 0)) min_taken += change;
            if (result.status == 0 || (result.status == killed && change > 0)) max_taken += change;
        }
        const int after = taken(key);
        CHECK((min_taken <= after && after <= max_taken));
    }
    MESSAGE(tally.taken, " taken or refused, ", tally.kills, " kills");
    for (const auto& [key, tokens] : {std::pair{sets.plain, 1}, std::pair{sets.counting, slots}}) {
        for (int left = taken(key); left > 0; --left)
            CHECK(scenario.run({"sem-give", key}).status == 0);
        check_is_whole(scenario, key, tokens);
    }
}
