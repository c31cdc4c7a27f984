#include "download/part_state.h"

#include <doctest/doctest.h>

using namespace ipcbox::download;

namespace {

const std::string url = "http://example.org/a?b=1";

} // namespace

TEST_CASE("a state gives back the version that was written") {
    for (const auto& version : {DocumentVersion{"\"tag\"", "Sun, 09 Sep 2001 01:46:40 GMT", 12'345},
                                DocumentVersion{"\"tag\"", "", {}},
                                DocumentVersion{"", "Sun, 09 Sep 2001 01:46:40 GMT", 0}}) {
        const auto read = parse_part_state(part_state(url, version), url);
        REQUIRE(read);
        CHECK(read->tag == version.tag);
        CHECK(read->date == version.date);
        CHECK(read->size == version.size);
    }
    CHECK(part_state(url, {"\"tag\"", "", 5}) ==
          "http://example.org/a?b=1\netag \"tag\"\nlast-modified \nsize 5\n");
}

TEST_CASE(
    "a state of another document, a damaged one and one without a version count for nothing") {
    const auto text = part_state(url, {"\"tag\"", "", 5});
    CHECK_FALSE(parse_part_state(text, "http://example.org/a"));
    CHECK_FALSE(parse_part_state(text, "http://example.org/a?b=12"));
    for (std::size_t size = 0; size < text.size(); ++size)
        CHECK_FALSE(parse_part_state(text.substr(0, size), url));
    CHECK_FALSE(parse_part_state(text + "more\n", url));
    CHECK_FALSE(parse_part_state(part_state(url, {}), url));
}
