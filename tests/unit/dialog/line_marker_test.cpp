#include "dialog/line_marker.h"

#include <doctest/doctest.h>

using namespace ipcbox::dialog;

namespace {

using Numbers = LineMarker::Numbers;

} // namespace

TEST_CASE("each line gets its number, in whatever pieces it comes") {
    LineMarker marker{Numbers::as_cat};
    CHECK(marker.mark("a\nb") == "     1\ta\n     2\tb");
    CHECK(marker.mark("b") == "b");
    CHECK(marker.mark("\n") == "\n");
    CHECK(marker.mark("\n") == "     3\t\n");
    CHECK(marker.mark("").empty());
}

TEST_CASE("a new prefix is for the lines that begin after it") {
    LineMarker marker{Numbers::none};
    marker.set_prefix("one: ");
    CHECK(marker.mark("a\nb") == "one: a\none: b");
    marker.set_prefix("two: ");
    CHECK(marker.mark("c\nd\n") == "c\ntwo: d\n");
}

TEST_CASE("only a line that was begun is finished") {
    LineMarker marker{Numbers::none};
    CHECK(marker.finish_line().empty());
    CHECK(marker.mark("a") == "a");
    CHECK(marker.finish_line() == "\n");
    CHECK(marker.finish_line().empty());
    CHECK(marker.mark("b\n") == "b\n");
    CHECK(marker.finish_line().empty());
}
