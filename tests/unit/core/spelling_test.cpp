#include "core/spelling.h"

#include "core/signals.h"

#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("the distance counts changed, added, dropped and swapped letters") {
    CHECK(spelling_distance("", "") == 0);
    CHECK(spelling_distance("term", "term") == 0);
    CHECK(spelling_distance("term", "tern") == 1);
    CHECK(spelling_distance("term", "trem") == 1);
    CHECK(spelling_distance("term", "ter") == 1);
    CHECK(spelling_distance("", "abc") == 3);
    CHECK(is_misspelling("term", "trem"));
    CHECK_FALSE(is_misspelling("kill", "stop"));
}

TEST_CASE("a mistyped signal is near one of that name") {
    CHECK(nearest_signal_name("TREM") == "TERM");
    CHECK(nearest_signal_name("sigkil") == "KILL");
    CHECK(nearest_signal_name("xyzzy").empty());
    CHECK(nearest_signal_name("").empty());
}
