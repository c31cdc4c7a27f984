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

TEST_CASE("a version is identified by a strong tag or a date") {
    const Field strong{"ETag", "\"v1\""};
    const Field weak{"etag", "W/\"v1\""};
    const Field date{"last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"};
    const auto validator = [](std::vector<Field> fields) {
        return download::version_of(with(std::move(fields))).validator();
    };
    CHECK(validator({date, strong}) == "\"v1\"");
    CHECK(validator({weak, date}) == date.value);
    CHECK(validator({weak}).empty());
    CHECK(validator({{"ETag", ""}, date}) == date.value);
    CHECK(validator({date}) == date.value);
    CHECK(validator({}).empty());
}

TEST_CASE("two versions may be the same unless something known differs") {
    const download::DocumentVersion all{"\"v1\"", "then", 10};
    CHECK(all.may_be(all));
    CHECK(all.may_be({}));
    CHECK(download::DocumentVersion{}.may_be(all));
    CHECK(all.may_be({"", "then", {}}));
    CHECK_FALSE(all.may_be({"\"v2\"", "then", 10}));
    CHECK_FALSE(all.may_be({"\"v1\"", "now", 10}));
    CHECK_FALSE(all.may_be({"", "", 11}));
    CHECK_FALSE(download::DocumentVersion{"W/\"1\"", "", {}}.may_be({"W/\"2\"", "", {}}));
}

TEST_CASE("the size of a document is in Content-Length or Content-Range") {
    auto head = with({{"Content-Length", "5"}, {"Content-Range", "bytes 1-5/20"}});
    head.status = 206;
    CHECK(download::version_of(head).size == 20);
    head.status = 200;
    CHECK(download::version_of(head).size == 5);
}

TEST_CASE("a part is what the user asked for") {
    const auto answers = [](const char* wanted, const char* found) {
        return download::answers_range(wanted,
                                       download::content_range(with({{"Content-Range", found}})));
    };
    CHECK(answers("0-99", "bytes 0-99/200"));
    CHECK(answers("0-99", "bytes 0-99/*"));
    CHECK(answers("0-99", "bytes 0-49/50")); // the document has no more
    CHECK(answers("100-", "bytes 100-199/200"));
    CHECK(answers("-50", "bytes 150-199/200"));
    CHECK(answers("-500", "bytes 0-199/200"));
    CHECK(answers("0-1,4-5", "bytes 0-9/200"));
    CHECK(answers("0-99", "")); // the server does not say
    CHECK_FALSE(answers("0-99", "bytes 0-49/200"));
    CHECK_FALSE(answers("0-99", "bytes 1-99/200"));
    CHECK_FALSE(answers("0-99", "bytes 0-100/200"));
    CHECK_FALSE(answers("-50", "bytes 100-149/200"));
}

TEST_CASE("Content-Range tells where a range begins, and the size of the whole") {
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
