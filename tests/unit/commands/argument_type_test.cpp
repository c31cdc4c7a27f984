#include "commands/argument_type.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox;
using ipcbox::commands::ArgumentType;

TEST_CASE("an int is a whole number in its range") {
    const auto any = ArgumentType::parse("int");
    CHECK(any.takes("-9223372036854775808"));
    CHECK_FALSE(any.takes("9223372036854775808"));
    const auto digit = ArgumentType::parse("int 1-9");
    CHECK(digit.takes("1"));
    CHECK(digit.takes("9"));
    for (const auto* wrong : {"", "0", "10", "+1", "1 ", "1;ls", "0x1"}) {
        CAPTURE(wrong);
        CHECK_FALSE(digit.takes(wrong));
    }
    CHECK(ArgumentType::parse("int -5--2").takes("-3"));
}

TEST_CASE("a word cannot be an option, a path or anything that a shell would look at") {
    const auto word = ArgumentType::parse("word");
    CHECK(word.takes("a-b_c.d,e:f@g%h+i=j"));
    for (const std::string wrong :
         {"", "-rf", "a/b", "a b", "$x", "`x`", "a;b", "a\nb", "a*", "~"}) {
        CAPTURE(wrong);
        CHECK_FALSE(word.takes(wrong));
    }
    CHECK_FALSE(word.takes(std::string(ArgumentType::max_bytes + 1, 'a')));
}

TEST_CASE("a regular expression must match the whole argument") {
    const auto path = ArgumentType::parse(R"(/\/[a-z]+|x/)");
    CHECK(path.takes("/home"));
    CHECK(path.takes("x"));
    CHECK_FALSE(path.takes("/home/"));
    CHECK_FALSE(path.takes("xx"));
    CHECK_FALSE(path.takes("x\n"));
    CHECK_FALSE(path.takes(std::string_view{"x\0y", 3}));
    CHECK(ArgumentType::parse(R"(/a\\b\./)").takes("a\\b."));
}

TEST_CASE("an invalid type is refused") {
    for (const auto* wrong : {"", "Word", "int1-9", "int 9-1", "int 1", "int a-b", "/", "//", "/a",
                              "/(/", "/[/", R"(/(a)\1/)"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS((void)ArgumentType::parse(wrong), std::invalid_argument);
    }
}
