#include "cluster/etcd_access.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox::cluster;

TEST_CASE("an endpoint is written as etcdctl takes it") {
    CHECK(EtcdEndpoint::parse("http://a:2379").text() == "http://a:2379");
    CHECK(EtcdEndpoint::parse("https://a").text() == "https://a:2379");
    CHECK(EtcdEndpoint::parse("a:4001").text() == "http://a:4001");
    CHECK(EtcdEndpoint::parse("a").text() == "http://a:2379");
    CHECK(EtcdEndpoint::parse("http://[::1]:2379/").text() == "http://[::1]:2379");
    CHECK(EtcdEndpoint::parse("HTTPS://A:2379//").text() == "https://a:2379");
    CHECK(EtcdEndpoint::parse_list("a,http://b:1,").size() == 2);
    CHECK(EtcdEndpoint::parse_list(" http://a , b:1,\n\tc \r\n") ==
          EtcdEndpoint::parse_list("a,b:1,c"));
}

TEST_CASE("a text that is not an endpoint is refused") {
    for (const auto* text : {"ftp://a", "http://", "http://a:0", "http://a:x", "http://a/path",
                             "http://user:password@a", "http://a b", "a?x", "http://a:70000",
                             "unix:///a", "a://", "//a", "/", "a b"})
        CHECK_THROWS_AS((void)EtcdEndpoint::parse(text), std::invalid_argument);
    for (const auto* text : {"::1", "fe80::1", "http://::1:2379"})
        CHECK_THROWS_WITH_AS((void)EtcdEndpoint::parse(text),
                             "expected an IPv6 address in brackets", std::invalid_argument);
    CHECK_THROWS_AS((void)EtcdEndpoint::parse_list(""), std::invalid_argument);
    CHECK_THROWS_AS((void)EtcdEndpoint::parse_list(" "), std::invalid_argument);
    CHECK_THROWS_AS((void)EtcdEndpoint::parse_list(","), std::invalid_argument);
}
