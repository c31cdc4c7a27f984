#include "etcd/protobuf.h"

#include <cstdint>
#include <doctest/doctest.h>
#include <limits>
#include <string>

using namespace ipcbox::etcd;

namespace {

// Reads MESSAGE to its end.
void read(std::string_view message) {
    ProtobufReader reader{message};
    while (reader.next())
        ;
}

} // namespace

TEST_CASE("numbers and texts have the bytes that protobuf's page shows") {
    CHECK(ProtobufWriter{}.number(1, 150).bytes() == "\x08\x96\x01");
    CHECK(ProtobufWriter{}.text(2, "testing").bytes() == "\x12\x07testing");
    CHECK(ProtobufWriter{}.number(1, -2).bytes() == "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST_CASE("zero and empty are left out unless they are said") {
    CHECK(ProtobufWriter{}.number(1, 0).text(2, "").bytes().empty());
    CHECK(ProtobufWriter{}.explicit_number(5, 0).bytes() == std::string("\x28\0", 2));
    CHECK(ProtobufWriter{}.explicit_text(2, "").bytes() == std::string("\x12\0", 2));
}

TEST_CASE("a reader gives back what a writer wrote") {
    for (const std::int64_t number :
         {std::int64_t{1}, std::int64_t{127}, std::int64_t{128}, std::int64_t{-1},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        const std::string text(300, 'x');
        const auto message = ProtobufWriter{}.number(3, number).text(536'870'911, text).bytes();
        ProtobufReader reader{message};
        REQUIRE(reader.next());
        CHECK(reader.field() == 3);
        CHECK(reader.number() == number);
        CHECK_THROWS_AS((void)reader.text(), MalformedMessage);
        REQUIRE(reader.next());
        CHECK(reader.field() == 536'870'911);
        CHECK(reader.text() == text);
        CHECK_THROWS_AS((void)reader.number(), MalformedMessage);
        CHECK_FALSE(reader.next());
    }
}

TEST_CASE("a reader passes over fixed fields") {
    const std::string message = "\x0d"
                                "abcd"
                                "\x11"
                                "abcdefgh"
                                "\x18\x07";
    ProtobufReader reader{message};
    REQUIRE(reader.next());
    CHECK(reader.field() == 1);
    CHECK_THROWS_AS((void)reader.number(), MalformedMessage);
    REQUIRE(reader.next());
    REQUIRE(reader.next());
    CHECK(reader.number() == 7);
}

TEST_CASE("a message that is cut off, or cannot be parsed, is malformed") {
    for (const std::string_view message :
         {"\x08", "\x08\x96", "\x12\x07test", "\x0d\x01\x01", "\x11\x01", "\x0b", "\x0c", "\x0e",
          "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
          "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"})
        CHECK_THROWS_AS(read(message), MalformedMessage);
    CHECK_THROWS_AS(read(std::string_view{"\0\x01", 2}), MalformedMessage); // field 0
    CHECK_THROWS_AS(read("\x80\x80\x80\x80\x10\x01"), MalformedMessage);    // field 2^29
}
