#include "cluster/token_keys.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox::cluster;

TEST_CASE("the slots and the queue of a name have a common prefix") {
    const auto keys = TokenKeys::parse("@build");
    CHECK(keys.text() == "@build");
    CHECK(keys.slots() == "ipcbox/sem/build/slots");
    CHECK(keys.queue() == "ipcbox/sem/build/queue/");
    CHECK(keys.entry(0xabc) == "ipcbox/sem/build/queue/0000000000000abc");
}

TEST_CASE("the end of the queue is after every entry and before everything else") {
    const auto keys = TokenKeys::parse("@build");
    CHECK(keys.entry(0x3fffffffffffffff) < keys.queue_end());
    CHECK(keys.queue() < keys.entry(0));
    CHECK(keys.queue_end() < keys.slots());
}

TEST_CASE("a name with / or control bytes stays one part of the key") {
    CHECK(TokenKeys::parse("@a/b").slots() == "ipcbox/sem/a%2Fb/slots");
    CHECK(TokenKeys::parse("@a\nb").slots() == "ipcbox/sem/a%0Ab/slots");
    CHECK(TokenKeys::parse("@../x").slots() == "ipcbox/sem/..%2Fx/slots");
    CHECK(TokenKeys::parse("@" + std::string(4096, 'x')).slots().size() > 4096);
}

TEST_CASE("a number has one place, however it is written, and no name has the same") {
    CHECK(TokenKeys::parse("1234").slots() == "ipcbox/sem/key:1234/slots");
    CHECK(TokenKeys::parse("0x4d2").slots() == TokenKeys::parse("1234").slots());
    CHECK(TokenKeys::parse("@1234").slots() == "ipcbox/sem/1234/slots");
    CHECK(TokenKeys::parse("@key:1234").slots() == "ipcbox/sem/key%3A1234/slots");
}

TEST_CASE("a path, which names a file of one host, is not a key here") {
    for (const auto* const text : {"./lock", "/tmp/lock", "a/b", "", "@", "0", "010", "-1", "x"}) {
        CAPTURE(text);
        CHECK_THROWS_AS((void)TokenKeys::parse(text), std::invalid_argument);
    }
}

TEST_CASE("the prefix can be another") {
    CHECK(TokenKeys::parse("@x", "team/").slots() == "team/x/slots");
}

TEST_CASE("the set of a key is found again, and other keys have none") {
    for (const auto* text : {"@build", "@a/b\n", "1234"}) {
        const auto keys = TokenKeys::parse(text);
        for (const auto& key : {keys.slots(), keys.entry(7)}) {
            const auto found = TokenKeys::of_key(key);
            REQUIRE(found);
            CHECK(found->text() == text);
            CHECK(found->slots() == keys.slots());
        }
    }
    for (const auto* key : {"other/build/slots", "ipcbox/sem/", "ipcbox/sem/build",
                            "ipcbox/sem/build/other", "ipcbox/sem//slots"})
        CHECK_FALSE(TokenKeys::of_key(key));
}
