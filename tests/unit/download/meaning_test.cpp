#include "download/meaning.h"

#include "http/failure.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::download;

namespace {

http::ResponseHead head(int status, std::vector<http::Field> fields = {}) {
    http::ResponseHead made;
    made.status = status;
    made.fields = std::move(fields);
    return made;
}

const http::Field behind{"Content-Range", "bytes 100-199/200"};

Expectation behind_100(const char* tag = "\"v1\"") {
    Expectation expected{};
    expected.continuation = {100, {tag, "", {}}, {}};
    return expected;
}

} // namespace

TEST_CASE("without a part that is here, an answer is the document or is refused") {
    CHECK(meaning_of(head(200), {}) == Meaning::document);
    CHECK(meaning_of(head(204), {}) == Meaning::document);
    CHECK(meaning_of(head(304), {}) == Meaning::refused);
    Expectation conditional;
    conditional.is_conditional = true;
    CHECK(meaning_of(head(304), conditional) == Meaning::unchanged);
    CHECK(meaning_of(head(404), {}) == Meaning::refused);
    CHECK(meaning_of(head(302, {{"Location", "/x"}}), {}) == Meaning::refused);
    for (const int status : {302, 305, 306})
        CHECK(meaning_of(head(status), {}) == Meaning::refused);
    CHECK(meaning_of(head(300), {}) == Meaning::document); // the document is a list to choose from
    Expectation shows_heads;
    shows_heads.redirects_are_documents = true;
    CHECK(meaning_of(head(302, {{"Location", "/x"}}), shows_heads) == Meaning::document);
    CHECK_THROWS_AS((void)meaning_of(head(101), {}), http::ProtocolError);
}

TEST_CASE("the rest has to fit in place and in version") {
    CHECK(meaning_of(head(206, {behind}), behind_100()) == Meaning::rest);
    CHECK(meaning_of(head(206, {behind, {"ETag", "\"v1\""}}), behind_100()) == Meaning::rest);
    CHECK(meaning_of(head(206, {behind, {"ETag", "\"v2\""}}), behind_100()) ==
          Meaning::other_version);
    CHECK(meaning_of(head(206, {{"Content-Range", "bytes 99-199/200"}}), behind_100()) ==
          Meaning::other_version);
    CHECK(meaning_of(head(206), behind_100()) == Meaning::other_version);
    CHECK(meaning_of(head(412), behind_100()) == Meaning::other_version);
    CHECK(meaning_of(head(416, {{"Content-Range", "bytes */100"}}), behind_100()) ==
          Meaning::all_here);
    CHECK(meaning_of(head(416, {{"Content-Range", "bytes */99"}}), behind_100()) ==
          Meaning::other_version);
    CHECK(meaning_of(head(200), behind_100()) == Meaning::document);
    CHECK(meaning_of(head(500), behind_100()) == Meaning::refused);
}

TEST_CASE("another tool's bytes need a date that is not newer") {
    Expectation expected{};
    expected.continuation = {100, {}, 784111777}; // RFC 9110, section 5.6.7
    const auto dated = [](const char* date) { return http::Field{"Last-Modified", date}; };
    CHECK(meaning_of(head(206, {behind, dated("Sun, 06 Nov 1994 08:49:37 GMT")}), expected) ==
          Meaning::rest);
    CHECK(meaning_of(head(206, {behind, dated("Sun, 06 Nov 1994 08:49:38 GMT")}), expected) ==
          Meaning::other_version);
    CHECK(meaning_of(head(206, {behind}), expected) == Meaning::other_version);
}

TEST_CASE("a part is accepted only when it was asked for") {
    Expectation expected{};
    expected.range = "100-199";
    CHECK(meaning_of(head(206, {behind}), expected) == Meaning::part);
    expected.range = "0-99";
    CHECK_THROWS_AS((void)meaning_of(head(206, {behind}), expected), http::TransferError);
    CHECK_THROWS_AS((void)meaning_of(head(206, {behind}), {}), http::TransferError);
    CHECK(meaning_of(head(206, {{"Content-Range", "bytes 0-99/200"}}), {}) == Meaning::document);
    Expectation own;
    own.range_is_users_business = true;
    CHECK(meaning_of(head(206, {behind}), own) == Meaning::part);
}

TEST_CASE("a document that is not newer is unchanged") {
    Expectation expected{};
    expected.newer_than = 784111777;
    CHECK(meaning_of(head(200, {{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}), expected) ==
          Meaning::unchanged);
    CHECK(meaning_of(head(200, {{"Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT"}}), expected) ==
          Meaning::document);
    CHECK(meaning_of(head(200), expected) == Meaning::document);
}

TEST_CASE("a document that is newer is not wanted if the user says so") {
    Expectation expected{};
    expected.not_newer_than = 784111777;
    CHECK(meaning_of(head(200, {{"Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT"}}), expected) ==
          Meaning::unchanged);
    CHECK(meaning_of(head(200, {{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}}), expected) ==
          Meaning::document);
    CHECK(meaning_of(head(412), expected) == Meaning::unchanged);
    CHECK(meaning_of(head(412), {}) == Meaning::refused);
    auto resumed = behind_100();
    resumed.not_newer_than = 784111777;
    CHECK(meaning_of(head(412), resumed) == Meaning::other_version);
}
