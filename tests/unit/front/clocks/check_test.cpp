#include "front/clocks/check.h"

#include <array>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace ipcbox;
using namespace ipcbox::front;
using namespace std::chrono_literals;

namespace {

const auto noon = clocks::wall_time(1'800'000'000);

clocks::Answer answer(Duration offset, Duration error = 1ms, Duration resolution = 1us) {
    return {.reading = clocks::Reading{.said = noon,
                                       .offset = offset,
                                       .error = error,
                                       .round_trip = 2ms,
                                       .resolution = resolution}};
}

clocks::Answer at_stratum(int stratum) {
    auto result = answer(0s);
    result.sntp = clocks::SntpAnswer{.stratum = stratum};
    return result;
}

constexpr CheckLimits limits{.warn = 1s, .critical = 10s};

Verdict verdict_of(const std::vector<clocks::Answer>& answers) {
    constexpr std::array names{"a", "b", "c", "d", "e", "f", "g"};
    Check check{limits};
    for (std::size_t at = 0; at < answers.size(); ++at)
        (void)check.add(at, names.at(at), answers[at]);
    return check.verdict();
}

} // namespace

TEST_CASE("OK is better than WARNING, that than UNKNOWN, and that than CRITICAL") {
    constexpr std::array states{CheckState::ok, CheckState::warning, CheckState::unknown,
                                CheckState::critical};
    for (std::size_t one = 0; one < states.size(); ++one)
        for (std::size_t other = 0; other < states.size(); ++other)
            CHECK(worse(states[one], states[other]) == states[std::max(one, other)]);
    CHECK(static_cast<int>(CheckState::unknown) == 3);
}

TEST_CASE("a clock is off by its offset less the error") {
    CHECK(judge(answer(0s), limits).state == CheckState::ok);
    CHECK(judge(answer(1s, 1ms), limits).state == CheckState::ok);
    CHECK(judge(answer(-1001ms, 1ms), limits).state == CheckState::warning);
    CHECK(judge(answer(11s), limits).state == CheckState::critical);
    CHECK(judge(answer(-11s), limits).reason == "-11.0000 s +/-0.0010 s");
    CHECK(judge(answer(11s), {.warn = 1s}).state == CheckState::warning);
    CHECK(judge(answer(11s), {.critical = 10s}).state == CheckState::critical);
    CHECK(judge(answer(11s), {}).state == CheckState::ok);
}

TEST_CASE("an error above the limit is a warning that tells what to do") {
    const CheckLimits small{.warn = 100ms};
    const auto whole_seconds = judge(answer(0s, 500ms, 1s), small);
    CHECK(whole_seconds.state == CheckState::warning);
    CHECK(whole_seconds.reason ==
          "is not known to 0.1 s (use --via ntp or --precise): +0.00 s +/-0.50 s");
    CHECK(judge(answer(0s, 500ms), small).reason == "is not known to 0.1 s: +0.00 s +/-0.50 s");
}

TEST_CASE("a host without a usable time is critical") {
    clocks::Answer none;
    none.problem = "refused";
    CHECK(judge(none, {}).state == CheckState::critical);
    CHECK(judge(none, limits).reason == "refused");
    auto never_set = answer(0s);
    never_set.reading->said = clocks::wall_time(0);
    CHECK(judge(never_set, limits).state == CheckState::critical);
    CHECK(judge(never_set, limits).reason.ends_with(" (never set)"));
}

TEST_CASE("a stratum has limits of its own") {
    const CheckLimits strata{.stratum_warn = 3, .stratum_critical = 5};
    CHECK(judge(at_stratum(3), strata).state == CheckState::ok);
    CHECK(judge(at_stratum(4), strata).state == CheckState::warning);
    CHECK(judge(at_stratum(5), strata).state == CheckState::warning);
    CHECK(judge(at_stratum(6), strata).state == CheckState::critical);
    CHECK(judge(answer(0s), strata).state == CheckState::unknown);
    CHECK(judge(at_stratum(4), {.warn = 1s, .stratum_warn = 3}).reason == "is at stratum 4");
    auto both = at_stratum(4);
    both.reading->offset = 2s;
    CHECK(judge(both, {.warn = 1s, .stratum_warn = 3}).reason ==
          "+2.0000 s +/-0.0010 s and is at stratum 4");
}

TEST_CASE("a verdict gives a line, an object and a status that agree") {
    const auto verdict = verdict_of({answer(0s), answer(2s)});
    CHECK(verdict.status() == 1);
    CHECK(verdict.line("timecheck") ==
          "TIMECHECK WARNING - 1 of 2: b +2.0000 s +/-0.0010 s | hosts=2 not_ok=1 "
          "'a'=0.000000s;1;10 'b'=2.000000s;1;10\n");
    const auto object = nlohmann::json::parse(verdict.object());
    CHECK(object["type"] == "state");
    CHECK(object["state"] == "WARNING");
    CHECK(object["text"] == "1 of 2: b +2.0000 s +/-0.0010 s");
    CHECK(object["hosts"] == 2);
    CHECK(object["not_ok"] == 1);
    CHECK(verdict_of({answer(0s)}).text == "1 host in time");
    CHECK(verdict_of({answer(0s), answer(0s)}).status() == 0);
}

TEST_CASE("a line names five hosts and counts the others") {
    const auto text = verdict_of(std::vector<clocks::Answer>(7, answer(20s))).text;
    CHECK(text.starts_with("7 of 7: a +20.0000 s"));
    CHECK(text.ends_with("e +20.0000 s +/-0.0010 s and 2 more"));
}

TEST_CASE("bad lines, a missing majority and hosts that were not heard change the verdict") {
    Check check{limits};
    (void)check.add(0, "a", answer(0s));
    check.add_disagreement();
    CHECK(check.verdict().state == CheckState::warning);
    CHECK(check.verdict().text == "1 host in time, but no majority agrees");
    check.add_bad_lines(1, "list, line 7");
    CHECK(check.verdict().state == CheckState::unknown);
    CHECK(check.verdict().text ==
          "1 host in time, but no majority agrees, but 1 line is no host (list, line 7)");
    check.add_unheard(2);
    CHECK(check.verdict().state == CheckState::critical);
    CHECK(check.verdict().text.starts_with("2 of 3: 2 interrupted, but "));
}

TEST_CASE("a check that cannot be made says why, in one line whatever that has in it") {
    const auto verdict = unknown_verdict("cannot open a\nb|c\x1b");
    CHECK(verdict.status() == 3);
    CHECK(verdict.line("udptime") == "UDPTIME UNKNOWN - cannot open a b/c \n");
    const auto object = nlohmann::json::parse(verdict.object());
    CHECK(object["state"] == "UNKNOWN");
    CHECK(object["hosts"].is_null());
    CHECK(object["not_ok"].is_null());
}

TEST_CASE("performance data are left out when there are too many hosts") {
    Check check{limits};
    for (std::size_t at = 0; at < 33; ++at)
        (void)check.add(at, "x", answer(0s));
    CHECK(check.verdict().performance_data == "hosts=33 not_ok=0");
}
