#include "front/ipc/lease_judge.h"

#include <csignal>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::front;
using namespace std::chrono_literals;
using cluster::LeaseTimes;
using cluster::OnLost;

namespace {

// Of a lease of 20 s that was renewed at 100 s, TERM is due at 114 s, and KILL at 119 s.
const LeaseTimes lease{BootTime{100s}, 20s, 5s};
const LeaseTimes renewed{BootTime{115s}, 20s, 5s};
const BootTime healthy{113s};
const BootTime term_due{114s};
const BootTime kill_due{119s};

} // namespace

TEST_CASE("a command with a healthy lease goes on without a word") {
    for (const auto on_lost : {OnLost::kill, OnLost::pause, OnLost::warn}) {
        LeaseJudge judge{on_lost};
        const auto ruling = judge.judge(lease, LeaseState::kept, healthy);
        CHECK(ruling.news.empty());
        CHECK(ruling.signal == 0);
        CHECK_FALSE(ruling.acts_on_doubt);
        CHECK_FALSE(judge.is_lost());
        CHECK(judge.next_moment(lease, LeaseState::kept, healthy) == term_due);
    }
}

TEST_CASE("a command whose lease was not renewed gets TERM once, and KILL again and again") {
    LeaseJudge judge{OnLost::kill};
    const auto first = judge.judge(lease, LeaseState::kept, term_due);
    CHECK(first.news == "the lease was not renewed in time: ending the command");
    CHECK(first.signal == SIGTERM);
    CHECK(first.acts_on_doubt);
    CHECK(judge.is_lost());
    CHECK(judge.kill_rest_at() == kill_due);
    CHECK(judge.next_moment(lease, LeaseState::kept, term_due) == kill_due);

    CHECK(judge.judge(lease, LeaseState::kept, kill_due - 1s).signal == 0);
    for (const BootTime now : {kill_due, kill_due + 1s}) {
        const auto ruling = judge.judge(lease, LeaseState::kept, now);
        CHECK(ruling.news.empty());
        CHECK(ruling.signal == SIGKILL);
        CHECK(ruling.acts_on_doubt);
        CHECK(judge.next_moment(lease, LeaseState::kept, now) == now + 100ms);
    }
}

TEST_CASE("a command that got TERM stays lost although its lease is renewed") {
    LeaseJudge judge{OnLost::kill};
    (void)judge.judge(lease, LeaseState::kept, term_due);
    const auto ruling = judge.judge(renewed, LeaseState::kept, kill_due);
    CHECK(ruling.news.empty());
    CHECK(ruling.signal == 0);
    CHECK(judge.is_lost());
    CHECK(judge.kill_rest_at() == kill_due);
}

TEST_CASE("a front that was stopped until after KILL kills immediately") {
    LeaseJudge judge{OnLost::kill};
    const auto ruling = judge.judge(lease, LeaseState::kept, kill_due + 1h);
    CHECK(ruling.news == "the lease was not renewed in time: ending the command");
    CHECK(ruling.signal == SIGKILL);
}

TEST_CASE("pause stops the command once, and lets it go on when the lease is renewed") {
    LeaseJudge judge{OnLost::pause};
    const auto stop = judge.judge(lease, LeaseState::kept, term_due);
    CHECK(stop.news == "the lease was not renewed in time: the command is stopped until it is");
    CHECK(stop.signal == SIGSTOP);
    CHECK(stop.acts_on_doubt);
    CHECK(judge.judge(lease, LeaseState::kept, kill_due).signal == 0);
    // Nothing is left to do before the keeper says something new.
    CHECK(judge.next_moment(lease, LeaseState::kept, kill_due) == std::nullopt);

    const auto go_on = judge.judge(renewed, LeaseState::kept, kill_due);
    CHECK(go_on.news == "the lease lives: the command goes on");
    CHECK(go_on.signal == SIGCONT);
    CHECK_FALSE(go_on.acts_on_doubt);
    CHECK(judge.judge(renewed, LeaseState::kept, kill_due).signal == 0);
    CHECK_FALSE(judge.is_lost());
}

TEST_CASE("warn tells the user once, and never signals") {
    LeaseJudge judge{OnLost::warn};
    const auto doubt = judge.judge(lease, LeaseState::kept, term_due);
    CHECK(doubt.news == "the lease was not renewed in time: the command may not be alone");
    CHECK(judge.judge(lease, LeaseState::kept, kill_due).news.empty());
    CHECK(judge.next_moment(lease, LeaseState::kept, kill_due) == std::nullopt);
    const auto gone = judge.judge(lease, LeaseState::gone, kill_due);
    CHECK(gone.news == "the lease is over: the command is not alone any more");
    CHECK(judge.judge(lease, LeaseState::gone, kill_due).news.empty());
    CHECK(judge.next_moment(lease, LeaseState::gone, kill_due) == std::nullopt);
    for (const auto& ruling : {doubt, gone}) {
        CHECK(ruling.signal == 0);
        CHECK_FALSE(ruling.acts_on_doubt);
    }
    CHECK_FALSE(judge.is_lost());
}

TEST_CASE("a lease that is over kills the command again and again, at any time") {
    for (const auto on_lost : {OnLost::kill, OnLost::pause}) {
        LeaseJudge judge{on_lost};
        const auto first = judge.judge(lease, LeaseState::gone, healthy);
        CHECK(first.news == "the lease is over: the command is killed");
        CHECK(first.signal == SIGKILL);
        const auto second = judge.judge(lease, LeaseState::gone, healthy);
        CHECK(second.news.empty());
        CHECK(second.signal == SIGKILL);
        CHECK(judge.is_lost());
        CHECK(judge.next_moment(lease, LeaseState::gone, healthy) == healthy + 100ms);
    }
}
