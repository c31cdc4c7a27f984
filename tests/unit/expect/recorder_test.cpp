#include "expect/recorder.h"
#include "expect/script.h"

#include <doctest/doctest.h>
#include <string>

namespace ipcbox::expect {
namespace {

struct Watched {
    std::string script;
    Recorder recorder{[this](std::string_view text) { script += text; }};

    // Types keys. The terminal echoes each of them.
    void type(std::string_view keys) {
        for (const char key : keys) {
            recorder.type({&key, 1}, Input::shown);
            recorder.hear(key == '\r' ? "\r\n" : std::string_view{&key, 1});
        }
    }
    std::string end() {
        recorder.finish();
        CHECK_NOTHROW((void)parse_script(script, "recorded"));
        return script;
    }
};

TEST_CASE("prompts become expects, lines become sends") {
    Watched watched;
    watched.recorder.hear("Welcome\r\nlogin: ");
    watched.type("me\r");
    watched.recorder.hear("Last login: today\r\n\x1b]0;title\a\x1b[1m$ \x1b[0m");
    watched.type("ls \"*\"\r");
    watched.recorder.hear("a\r\n$ ");
    watched.type("exit\r");
    CHECK(watched.end() == "expect /^login: /m\nsend \"me\\r\"\nexpect /^\\$ /m\n"
                           "send \"ls \\\"*\\\"\\r\"\nexpect /^\\$ /m\nsend \"exit\\r\"\n");
}

TEST_CASE("hidden input is a variable of the environment, the same for the same text") {
    Watched watched;
    watched.recorder.hear("New password: ");
    watched.recorder.type("hidden\r", Input::hidden);
    watched.recorder.hear("\r\nRetype: ");
    watched.recorder.type("hidden\r", Input::hidden);
    watched.recorder.hear("\r\nKey: ");
    watched.recorder.type("other\r", Input::hidden);
    watched.recorder.hear("\r\nNot other? ");
    watched.type("no\r");
    const auto script = watched.end();
    CHECK(script == "expect /^New password: /m\nsend-env PASSWORD\nsend \"\\r\"\n"
                    "expect /^Retype: /m\nsend-env PASSWORD\nsend \"\\r\"\n"
                    "expect /^Key: /m\nsend-env PASSWORD2\nsend \"\\r\"\nsend \"no\\r\"\n");
}

TEST_CASE("a prompt that asks for a secret makes one of what a remote terminal hides") {
    Watched watched;
    watched.recorder.hear("[sudo] password for me: ");
    watched.recorder.type("hidden\r", Input::shown);
    CHECK(watched.end() ==
          "expect /^\\[sudo\\] password for me: /m\nsend-env PASSWORD\nsend \"\\r\"\n");
}

TEST_CASE("single keys that are answered are sends of their own") {
    Watched watched;
    watched.recorder.hear("text\r\n--More--");
    watched.recorder.type(" ", Input::shown);
    watched.recorder.hear("\rmore text\r\n--More--");
    watched.recorder.type("q", Input::shown);
    CHECK(watched.end() == "expect /^--More--/m\nsend \" \"\nexpect /^--More--/m\nsend \"q\"\n");
}

TEST_CASE("keys that were taken back are left out, others are escaped") {
    Watched watched;
    watched.recorder.hear("? ");
    watched.type("\x7fhelo\x7f\x7flo\xc3\xa9\x7f\x03\x1b[A$x\r");
    CHECK(watched.end() == "expect /^\\? /m\nsend \"\\x7fhelo\\x03\\e[A\\$x\\r\"\n");
}

TEST_CASE("a question that ends its line is expected, and of a long one the end") {
    Watched watched;
    watched.recorder.hear("Your name?\r\n\r\n");
    watched.type("me\r");
    watched.recorder.hear(std::string(100, 'x') + "? ");
    watched.type("y");
    CHECK(watched.end() == "expect /^Your name\\?/m\nsend \"me\\r\"\nexpect /" +
                               std::string(58, 'x') + "\\? /\nsend \"y\"\n");
}

TEST_CASE("keys before any output are only sent") {
    Watched watched;
    watched.type("a\rb\r");
    CHECK(watched.end() == "send \"a\\r\"\nsend \"b\\r\"\n");
}

} // namespace
} // namespace ipcbox::expect
