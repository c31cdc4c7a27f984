#include "net/telnet.h"

#include <doctest/doctest.h>

using namespace ipcbox::net;
using namespace std::string_literals;

TEST_CASE("text passes, and a doubled 255 is one byte of it") {
    TelnetFilter telnet;
    CHECK(telnet.next("login: ") == "login: ");
    CHECK(telnet.next("a\xff\xff"
                      "b") == "a\xff"
                              "b");
    CHECK(telnet.take_replies().empty());
    CHECK(TelnetFilter::escaped("a\xff") == "a\xff\xff");
}

TEST_CASE("each option is refused once, whatever the pieces are") {
    TelnetFilter telnet;
    // DO TERMINAL TYPE, WILL ECHO
    const auto said = "x\xff\xfd\x18y\xff\xfb\x01z"s;
    std::string text;
    for (const char byte : said)
        text += telnet.next({&byte, 1});
    CHECK(text == "xyz");
    CHECK(telnet.take_replies() == "\xff\xfc\x18\xff\xfe\x01");
    CHECK(telnet.next(said) == "xyz");
    CHECK(telnet.take_replies().empty());
}

TEST_CASE("WONT and DONT need no answer") {
    TelnetFilter telnet;
    CHECK(telnet.next("\xff\xfc\x01\xff\xfe\x03ok") == "ok");
    CHECK(telnet.take_replies().empty());
}

TEST_CASE("commands and the parameters of an option are taken out") {
    TelnetFilter telnet;
    CHECK(telnet.next("a\xff\xf9"
                      "b") == "ab");
    CHECK(telnet.next("\xff\xfa\x18\x01 hidden \xff\xff still\xff\xf0"
                      "c") == "c");
}

TEST_CASE("a server that asks for all options forever gets a bounded answer") {
    TelnetFilter telnet;
    std::string flood;
    for (int round = 0; round < 10; ++round)
        for (int option = 0; option < 256; ++option)
            flood += {'\xff', '\xfd', static_cast<char>(option)};
    CHECK(telnet.next(flood).empty());
    CHECK(telnet.take_replies().size() == 256 * 3);
}
