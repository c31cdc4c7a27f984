#include "etcd/access.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox::etcd;

TEST_CASE("an endpoint is written as etcdctl takes it") {
    CHECK(Endpoint::parse("http://a:2379").text() == "http://a:2379");
    CHECK(Endpoint::parse("https://a").text() == "https://a:2379");
    CHECK(Endpoint::parse("a:4001").text() == "http://a:4001");
    CHECK(Endpoint::parse("a").text() == "http://a:2379");
    CHECK(Endpoint::parse("http://[::1]:2379/").text() == "http://[::1]:2379");
    CHECK(Endpoint::parse("HTTPS://A:2379//").text() == "https://a:2379");
    CHECK(Endpoint::parse_list("a,http://b:1,").size() == 2);
    CHECK(Endpoint::parse_list(" http://a , b:1,\n\tc \r\n") == Endpoint::parse_list("a,b:1,c"));
}

TEST_CASE("a text that is not an endpoint is refused") {
    for (const auto* text : {"ftp://a", "http://", "http://a:0", "http://a:x", "http://a/path",
                             "http://user:password@a", "http://a b", "a?x", "http://a:70000",
                             "unix:///a", "a://", "//a", "/", "a b"})
        CHECK_THROWS_AS((void)Endpoint::parse(text), std::invalid_argument);
    for (const auto* text : {"::1", "fe80::1", "http://::1:2379"})
        CHECK_THROWS_WITH_AS((void)Endpoint::parse(text), "expected an IPv6 address in brackets",
                             std::invalid_argument);
    CHECK_THROWS_AS((void)Endpoint::parse_list(""), std::invalid_argument);
    CHECK_THROWS_AS((void)Endpoint::parse_list(" "), std::invalid_argument);
    CHECK_THROWS_AS((void)Endpoint::parse_list(","), std::invalid_argument);
}
