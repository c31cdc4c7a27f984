#include "front/client/passage.h"

#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox::front;

TEST_CASE("without options the bytes stay as they are") {
    Passage passage{{}};
    CHECK(passage.changes_nothing());
    CHECK(passage.request("a\n\xff") == "a\n\xff");
    CHECK(passage.answer("b\x1b[2J") == "b\x1b[2J");
}

TEST_CASE("a line feed becomes CR LF unless it is one already, also across pieces") {
    Passage passage{{.crlf = true}};
    CHECK(passage.request("a\nb\r\n\n") == "a\r\nb\r\n\r\n");
    CHECK(passage.request("c\r") == "c\r");
    CHECK(passage.request("\nd") == "\nd");
}

TEST_CASE("telnet's options are refused, and its byte 255 is doubled on the way out") {
    Passage passage{{.telnet = true}};
    CHECK(passage.answer("\xff\xfd\x18login: ") == "login: ");
    CHECK(passage.take_replies() == "\xff\xfc\x18");
    CHECK(passage.request("\xff") == "\xff\xff");
}

TEST_CASE("the dump counts on from piece to piece") {
    Passage passage{{.hex = true}};
    CHECK(passage.answer("0123456789abcdef\n") ==
          "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n"
          "00000010  0a                                                |.|\n");
    CHECK(passage.answer("z") ==
          "00000011  7a                                                |z|\n");
    CHECK(passage.answer("") == "");
}

TEST_CASE("control characters are made visible, also those in two pieces") {
    Passage passage{{.visible = true}};
    CHECK(passage.answer("\x1b[2J\xc3") == "^[[2J");
    CHECK(passage.answer("\xa9\n") == "\xc3\xa9\n");
}

TEST_CASE("the log has a time and a direction on each line") {
    ipcbox::test::Scenario scenario;
    Passage passage{{.log = "log"}};
    (void)passage.request("one\n");
    (void)passage.answer("t");
    (void)passage.answer("wo\nthree: \x07");
    (void)passage.answer("");
    const auto log = scenario.read_file("log");
    CHECK(log.find(" > one\n") == 23);
    CHECK(log.find(" < two\n") != std::string::npos);
    CHECK(log.find(" < three: ^G\n") != std::string::npos);
}
