#include "download/part_name.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::download;

TEST_CASE("temporary names stand beside the file") {
    const auto names = part_names("some/where/doc", "0123456789ab");
    CHECK(names.part == "some/where/doc.0123456789ab.part");
    CHECK(names.state == "some/where/doc.0123456789ab.state");
}

TEST_CASE("a long name is cut between characters") {
    const std::string tail = "0123456789ab";
    for (const std::size_t size : {235U, 236U, 237U, 251U, 255U}) {
        const auto names = part_names("d/" + std::string(size, 'x'), tail);
        CHECK(names.state.size() - 2 <= 255);
        CHECK(names.state.ends_with("x." + tail + ".state"));
    }
    std::string umlauts = "x";
    while (umlauts.size() < 255)
        umlauts += "\xc3\xa4";
    const auto names = part_names(umlauts, tail);
    CHECK(names.part.size() <= 255);
    CHECK(names.part.find("\xc3.") == std::string::npos);
}

TEST_CASE("a tail is that of one file name") {
    const auto tail = tail_for("dir/f");
    CHECK(tail.size() == 12);
    CHECK(tail_for("f") == tail);
    CHECK(tail_for("g") != tail);
    CHECK(random_tail().size() == 12);
    CHECK(random_tail() != random_tail());
}
