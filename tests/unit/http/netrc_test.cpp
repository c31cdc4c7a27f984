#include "http/netrc.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

// "user:password" or "nobody"
std::string who(std::string_view netrc, std::string_view host, std::string_view user = {}) {
    const auto found = credentials_for(netrc, host, user);
    return found ? found->user + ":" + found->password : "nobody";
}

std::string wrong(std::string_view netrc) {
    try {
        return "right: " + who(netrc, "host");
    } catch (const Error& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("the entry of a host has its login") {
    constexpr auto netrc = "machine a login x password y\n"
                           "machine\n\tB.example\r\n\tlogin alice\r\n\tpassword secret\r\n"
                           "\n"
                           "MACHINE c LOGIN l\n"
                           "machine d password p account whatever\n"
                           "machine e\n"
                           "machine f port 21 login z\n";
    CHECK(who(netrc, "a") == "x:y");
    CHECK(who(netrc, "b.example") == "alice:secret");
    CHECK(who(netrc, "c") == "l:");
    CHECK(who(netrc, "d") == ":p");
    CHECK(who(netrc, "e") == ":");
    CHECK(who(netrc, "f") == "z:");
    for (const auto* host : {"", "g", "example", "b.example.", "sub.b.example", "login"})
        CHECK(who(netrc, host) == "nobody");
    CHECK(who("", "a") == "nobody");
    CHECK(who("login x password y", "a") == "nobody");
}

TEST_CASE("the first entry that fits counts, and also the default one") {
    constexpr auto netrc = "machine a login one password 1\n"
                           "machine a login two password 2\n"
                           "default login any password 0\n"
                           "machine b login late password 3\n";
    CHECK(who(netrc, "a") == "one:1");
    CHECK(who(netrc, "a", "two") == "two:2");
    CHECK(who(netrc, "a", "any") == "any:0");
    CHECK(who(netrc, "a", "three") == "nobody");
    CHECK(who(netrc, "b") == "any:0");
    CHECK(who(netrc, "b", "late") == "late:3");
    CHECK(who("machine a password 1 login one", "a", "one") == "one:1");
    CHECK(who("machine a password 1", "a", "one") == "nobody");
}

TEST_CASE("a byte order mark before a netrc file is skipped") {
    CHECK(who("\xef\xbb\xbfmachine a login one password 1\n", "a") == "one:1");
}

TEST_CASE("words may be quoted, and comments are skipped") {
    CHECK(who(R"(machine a login "a b" password "c\"d\\e\tf\ng\rh\x")", "a") ==
          "a b:c\"d\\e\tf\ng\rhx");
    CHECK(who(R"(machine "a" login "" password "#x")", "a") == ":#x");
    CHECK(who("# machine a login x\nmachine a # machine b login y\n login z # the end", "a") ==
          "z:");
    CHECK(who("machine a login x#y password p\"q", "a") == "x#y:p\"q");
    CHECK(who("machine a login \\x password \\", "a") == "\\x:\\");
    CHECK(who("machine a password machine login default", "a") == "default:machine");
}

TEST_CASE("macros are skipped") {
    constexpr auto netrc = "macdef init\n"
                           "machine a login macro password m\n"
                           "\"not closed\n"
                           "\n"
                           "machine a login x password y\n"
                           "macdef other\r\n"
                           "login macro\r\n"
                           "\r\n"
                           "machine b login z password macdef\n"
                           "machine c\n"
                           "macdef last\n"
                           "login macro";
    CHECK(who(netrc, "a") == "x:y");
    CHECK(who(netrc, "b") == "z:macdef");
    CHECK(who(netrc, "c") == ":");
}

TEST_CASE("an entry that stops in the middle is read as far as it goes") {
    CHECK(who("machine", "a") == "nobody");
    CHECK(who("machine a login", "a") == ":");
    CHECK(who("machine a login x password", "a") == "x:");
    CHECK(who("machine a macdef", "a") == ":");
    CHECK(who("machine a #", "a") == ":");
    CHECK(wrong("machine host\nlogin x password \"y\n") ==
          "cannot read the netrc file: line 2: expected a closing quote");
    CHECK(wrong("\"") == "cannot read the netrc file: line 1: expected a closing quote");
    CHECK(wrong("\"\\") == "cannot read the netrc file: line 1: expected a closing quote");
    CHECK(wrong("\n\n\"a\nb\"") == "cannot read the netrc file: line 3: expected a closing quote");
}

TEST_CASE("a missing file is empty, and one that is too large is an error") {
    const test::Scenario scenario;
    CHECK(load_netrc(scenario.path("none")).empty());
    CHECK(load_netrc("/dev/null/none").empty());
    scenario.write_file("netrc", "machine a\n");
    CHECK(load_netrc(scenario.path("netrc")) == "machine a\n");
    scenario.write_file("long", std::string((1UL << 20U) + 1, '\n'));
    CHECK_THROWS_AS((void)load_netrc(scenario.path("long")), Error);
    CHECK_THROWS_AS((void)load_netrc(scenario.path(".")), SysError);
}

TEST_CASE("a value may begin with #, and a keyword's place may hold a comment") {
    constexpr auto netrc = "machine a login u password #secret\n"
                           "machine b login x password y # of b\n"
                           "machine c login\n# between\n#u password\n   # more\n   p\n"
                           "machine d login #u password p#q\n";
    CHECK(who(netrc, "a") == "u:#secret");
    CHECK(who(netrc, "b") == "x:y");
    CHECK(who(netrc, "c") == "p:"); // both comments; "p" is the login, and no password follows
    CHECK(who(netrc, "d") == "#u:p#q");
}

TEST_CASE("a missing value never reaches into the next entry") {
    CHECK(who("machine a login u password\nmachine b login x password y\n", "a") == "u:");
    CHECK(who("machine a login u password\nmachine b login x password y\n", "b") == "x:y");
    CHECK(who("machine a login\nmachine b login x password y\n", "a") == ":");
    CHECK(who("machine a login u password machine b login x password y", "a") == "u:");
    CHECK(who("machine a login u password machine b login x password y", "b") == "x:y");
    CHECK(who("machine a login u password\ndefault login x password y\n", "a") == "u:");
    CHECK(who("machine a login u account\nmachine b login x password y\n", "a") == "u:");
    CHECK(who("machine\nmachine b login x password y\n", "b") == "x:y");
    CHECK(who("machine a login u password\nmacdef m\npassword z\n\nmachine b login x", "a") ==
          "u:");
    CHECK(who("machine a login u password \"machine\"", "a") == "u:machine");
    CHECK(who("machine a login u password default", "a") == "u:default");
}
