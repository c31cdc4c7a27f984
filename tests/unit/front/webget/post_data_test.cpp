#include "front/webget/post_data.h"

#include "harness/scenario.h"
#include "http/failure.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::front;

TEST_CASE("pieces of data are joined by & in their order, also empty ones") {
    PostData data;
    CHECK_FALSE(data.text());
    data.add_text("a=1");
    data.add_raw("@b");
    data.add_text("");
    data.add_binary("c=2");
    data.add_urlencoded("d=x y&z");
    CHECK(data.text() == "a=1&@b&&c=2&d=x+y%26z");
    PostData empty;
    empty.add_text("");
    empty.add_text("");
    CHECK(empty.text() == "&");
}

TEST_CASE("JSON is joined without anything between") {
    PostData data;
    data.add_json("{\"a\":1,");
    data.add_json("\"b\":2}");
    CHECK(data.text() == "{\"a\":1,\"b\":2}");
    CHECK(data.is_json());
    data.add_text("x");
    CHECK(data.text() == "{\"a\":1,\"b\":2}&x");
}

TEST_CASE("data comes from files") {
    test::Scenario scenario;
    scenario.write_file("lines", std::string_view{"one\r\ntwo \0three\n", 16});
    PostData data;
    data.add_text("@lines");
    CHECK(data.text() == "onetwo three");
    PostData binary;
    binary.add_binary("@lines");
    CHECK(binary.text() == std::string_view{"one\r\ntwo \0three\n", 16});
    CHECK(urlencoded_data("name@lines") == "name=one%0D%0Atwo+%00three%0A");
    CHECK(urlencoded_data("@lines") == "one%0D%0Atwo+%00three%0A");
    CHECK_THROWS_AS(data.add_text("@absent"), http::TransferError);
    CHECK_THROWS_AS((void)urlencoded_data("n@absent"), http::TransferError);
}

TEST_CASE("--data-urlencode encodes each of its forms") {
    CHECK(urlencoded_data("a b") == "a+b");
    CHECK(urlencoded_data("=a=b") == "a%3Db");
    CHECK(urlencoded_data("n=a@b") == "n=a%40b");
    CHECK(urlencoded_data("n&m=a") == "n&m=a");
    CHECK(urlencoded_data("h\xc3\xa9-._~*+") == "h%C3%A9-._~%2A%2B");
    CHECK(urlencoded_data("").empty());
    CHECK(urlencoded_data("n=") == "n=");
}
