#include "expect/script.h"

#include <doctest/doctest.h>
#include <stdexcept>
#include <string>

namespace ipcbox::expect {
namespace {

std::string error_of(std::string_view source) {
    try {
        (void)parse_script(source, "s");
    } catch (const ScriptError& error) {
        CHECK(error.status() == exit_status::usage);
        return error.what();
    }
    return "none";
}

TEST_CASE("a script is a list of statements; comments and empty lines are none") {
    const auto script = parse_script("# log in\n\nexpect /login: / 5s  # wait\n"
                                     "send \"me\\r\"\nsend-env PASSWORD\nsend-file /dev/fd/3\n"
                                     "set id \\1\ntimeout 1m\ninteract /x/\nclose\nwait\nexit 3",
                                     "s");
    using Kind = Statement::Kind;
    std::vector<Kind> kinds;
    for (const auto& statement : script.statements)
        kinds.push_back(statement.kind);
    CHECK(kinds == std::vector<Kind>{Kind::expect, Kind::send, Kind::send_env, Kind::send_file,
                                     Kind::set, Kind::timeout, Kind::interact, Kind::close,
                                     Kind::wait, Kind::go});
    CHECK(script.statements[0].limit == std::chrono::seconds{5});
    CHECK(script.statements[0].at.line == 3);
    CHECK(script.statements[1].text.pieces[0].text == "me\r");
    CHECK(script.statements[9].action.status == 3);
}

TEST_CASE("arms stand on one line or on several, and jump forwards and backwards") {
    const auto script = parse_script("label again\nexpect { /a\\/b/ -> again; /c/ -> exit 3\n"
                                     "  # none of them\n  timeout -> done\n  eof->continue } 2s\n"
                                     "label done\nexit 0\n",
                                     "s");
    const auto& arms = script.statements.at(0).arms;
    REQUIRE(arms.size() == 4);
    CHECK(arms[0].pattern->matches("a/b"));
    CHECK(arms[0].action.target == 0);
    CHECK(arms[1].action.kind == Action::Kind::exit);
    CHECK(arms[1].action.status == 3);
    CHECK(arms[2].event == Arm::Event::timeout);
    CHECK(arms[2].action.target == 1);
    CHECK(arms[3].event == Arm::Event::end);
    CHECK(arms[3].action.kind == Action::Kind::go_on);
}

TEST_CASE("letters after a pattern change how it matches") {
    const auto script = parse_script("expect /^B$/im 5s\nexpect { /a.b/s->continue }", "s");
    CHECK(script.statements[0].arms[0].pattern->matches("a\nb\nc"));
    CHECK(script.statements[0].source == "expect /^B$/im 5s");
    CHECK(script.statements[1].arms[0].pattern->matches("a\nb"));
}

TEST_CASE("a label at the end of the script is where the script ends") {
    CHECK(parse_script("goto end\nlabel end", "s").statements[0].action.target == 1);
}

TEST_CASE("a text can contain escapes, groups and variables") {
    const auto text = parse_text("a\\x41\\\"\\e\\1${name}$5\\$");
    REQUIRE(text.pieces.size() == 4);
    CHECK(text.pieces[0].text == "aA\"\x1b");
    CHECK(text.pieces[1].group == 1);
    CHECK(text.pieces[2].text == "name");
    CHECK(text.pieces[3].text == "$5$");
    CHECK_THROWS_AS((void)parse_text("a\\"), std::invalid_argument);
    CHECK_THROWS_AS((void)parse_text("\\x4"), std::invalid_argument);
    CHECK_THROWS_AS((void)parse_text("${x"), std::invalid_argument);
}

TEST_CASE("a mistake is reported with its line and column") {
    CHECK(error_of("\n  exepct /a/").starts_with("s:2:3: unknown word exepct: expected expect"));
    CHECK(error_of("expect /a(b/").starts_with("s:1:12: missing closing parenthesis"));
    CHECK(error_of("expect /a(b/im").starts_with("s:1:12: missing closing parenthesis"));
    CHECK(error_of("expect /a/q").starts_with("s:1:11: expected a duration"));
    CHECK(error_of("expect /a") == "s:1:8: no / ends what begins here");
    CHECK(error_of("expect a") == "s:1:8: expected /REGEX/ here");
    CHECK(error_of("send hello") == "s:1:6: expected a text in quotes here");
    CHECK(error_of("send \"a\\q\"").starts_with("s:1:8: unknown escape \\q"));
    CHECK(error_of("send \"a\" b") == "s:1:10: expected the end of the line here");
    CHECK(error_of("expect { /a/ -> x\n") == "s:1:1: no } ends this expect {");
    CHECK(error_of("expect { }") == "s:1:1: this expect { } is empty");
    CHECK(error_of("expect { /a/ x }") ==
          "s:1:14: expected -> and a label, continue or exit N here");
    CHECK(error_of("expect { a -> x }") == "s:1:10: expected /REGEX/, timeout or eof here");
    CHECK(error_of("goto there") == "s:1:6: there is no label there");
    CHECK(error_of("expect { /a/ -> b }") == "s:1:17: there is no label b");
    CHECK(error_of("label a\nlabel a") == "s:2:7: there are two labels a");
    CHECK(error_of("label exit") == "s:1:7: a label cannot be called exit");
    CHECK(error_of("exit 256") == "s:1:6: expected a status from 0 to 255 here");
    CHECK(error_of("expect /a/ soon") == "s:1:12: expected a duration, such as 10s or 1m30s, here");
    CHECK(error_of("set x 1") == "s:1:7: expected \\0 to \\9 or a text in quotes here");
    CHECK(error_of("send-file") == "s:1:10: expected a file's path here");
    CHECK(error_of(std::string_view{"\0", 1}).starts_with("s:1:1: unknown word"));
}

} // namespace
} // namespace ipcbox::expect
