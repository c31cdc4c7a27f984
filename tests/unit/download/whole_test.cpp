#include "download/whole.h"

#include "http/failure.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::download;

TEST_CASE("a document is whole when all of it is here, and it is the right one") {
    const std::optional<http::Checksum> wanted{{"md5", "aa"}};
    CHECK(judge({10, 10, nullptr, ""}) == Wholeness::whole);
    CHECK(judge({10, {}, nullptr, ""}) == Wholeness::whole); // the size is unknown
    CHECK(judge({9, 10, nullptr, ""}) == Wholeness::rest_missing);
    CHECK(judge({11, 10, nullptr, ""}) == Wholeness::too_long);
    CHECK(judge({10, 10, &wanted, "aa"}) == Wholeness::whole);
    CHECK(judge({9, 10, &wanted, ""}) == Wholeness::rest_missing);
    try {
        (void)judge({10, {}, &wanted, "bb"});
        FAIL("another document was taken for it");
    } catch (const http::TransferError& error) {
        CHECK(error.status() == http::status::bad_checksum);
    }
}
