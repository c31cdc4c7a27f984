#include "download/resumption.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

ResponseHead with(std::vector<Field> fields) {
    ResponseHead head;
    head.fields = std::move(fields);
    return head;
}

using Range = std::pair<std::optional<std::uint64_t>, std::optional<std::uint64_t>>;

Range range(const char* value) {
    const auto found = download::content_range(with({{"content-range", value}}));
    return {found.first, found.size};
}

} // namespace

TEST_CASE("what identifies a version") {
    const Field strong{"ETag", "\"v1\""};
    const Field weak{"etag", "W/\"v1\""};
    const Field date{"last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"};
    CHECK(download::version_of(with({date, strong})) == "\"v1\"");
    CHECK(download::version_of(with({weak, date})) == date.value);
    CHECK(download::version_of(with({weak})).empty());
    CHECK(download::version_of(with({{"ETag", ""}, date})) == date.value);
    CHECK(download::version_of(with({date})) == date.value);
    CHECK(download::version_of({}).empty());
}

TEST_CASE("where a range begins, and of how much it is") {
    CHECK(range("bytes 100-199/200") == Range{100, 200});
    CHECK(range("bytes 0-0/1") == Range{0, 1});
    CHECK(range("bytes 100-199/*") == Range{100, std::nullopt});
    CHECK(range("bytes */200") == Range{std::nullopt, 200});
    CHECK(range("bytes 18446744073709551614-18446744073709551614/18446744073709551615") ==
          Range{18446744073709551614U, 18446744073709551615U});
    CHECK(range("bytes 18446744073709551616-18446744073709551617/*") == Range{});
    for (const auto* value : {"", "bytes", "bytes ", "bytes 1-2", "100-199/200", "lines 1-2/3",
                              "bytes=1-2/3", "bytes -/", "bytes -1-2/-3", "bytes x-2/y"})
        CHECK(range(value) == Range{});
    CHECK(range("bytes -5/200").first == std::nullopt);
    CHECK_FALSE(download::content_range({}).first);
    CHECK_FALSE(download::content_range({}).size);
}
