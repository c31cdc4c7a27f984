#include "cluster/lease_times.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::cluster;
using namespace std::chrono_literals;

TEST_CASE("a lease of 15 s is doubted after 10.5 s and given up after 14.25 s") {
    const LeaseTimes times{BootTime{100s}};
    CHECK(times.next_keepalive() == BootTime{105s});
    CHECK(times.term_at() == BootTime{110500ms});
    CHECK(times.kill_at() == BootTime{114250ms});
    CHECK(doubt_at(times, BootTime{110499ms}) == Doubt::none);
    CHECK(doubt_at(times, BootTime{110500ms}) == Doubt::term);
    CHECK(doubt_at(times, BootTime{114249ms}) == Doubt::term);
    CHECK(doubt_at(times, BootTime{114250ms}) == Doubt::kill);
}

TEST_CASE("KILL comes before the end of any lease, and TERM after the next keepalive") {
    for (const Duration ttl : {Duration{2s}, Duration{6s}, Duration{60s}, Duration{1h}}) {
        const LeaseTimes usual{BootTime{0s}, ttl, default_grace_of(ttl)};
        CHECK(usual.kill_at() < BootTime{ttl});
        CHECK(usual.term_at() < usual.kill_at());
        CHECK(usual.next_keepalive() + patience_of(ttl) < usual.term_at());
        const LeaseTimes patient{BootTime{0s}, ttl, max_grace_of(ttl)};
        CHECK(patient.next_keepalive() < patient.term_at());
    }
}
