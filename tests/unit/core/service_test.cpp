#include "core/service.h"

#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("a port is a number") {
    CHECK(service_port("0") == 0);
    CHECK(service_port("1") == 1);
    CHECK(service_port("65535") == 65535);
    for (const auto* text :
         {"65536", "-1", "+1", " 1", "1 ", "0x50", "1.5", "99999999999999999999"})
        CHECK_FALSE(service_port(text));
}

TEST_CASE("the services that we speak need no file") {
    CHECK(service_port("echo") == 7);
    CHECK(service_port("daytime") == 13);
    CHECK(service_port("time") == 37);
    CHECK(service_port("http") == 80);
    CHECK(service_port("ntp") == 123);
    CHECK(service_port("https") == 443);
}

TEST_CASE("a text that is not a service is refused") {
    for (const auto* text : {"", "#", "no-such-service", "HTTP", "http ", "80/tcp", "/tcp"})
        CHECK_FALSE(service_port(text));
}
