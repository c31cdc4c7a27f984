#include "core/error.h"
#include "core/io.h"
#include "dialog/magic_source.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::dialog;
using namespace ipcbox::test;

namespace {

constexpr MagicRules usual{};
constexpr MagicRules literal{.is_literal = true};
constexpr MagicRules prefers_command{.prefers_command = true};
constexpr MagicRules uses_shell{.uses_shell = true};

std::string text_of(const std::string& argument, const MagicRules& rules) {
    MagicSource source{argument, rules};
    auto text = read_to_end(source.fd(), 1000, source.name());
    const auto status = source.finish();
    if (status && !status->succeeded()) text += status->text();
    return text;
}

std::string failure(const std::string& argument, const MagicRules& rules) {
    try {
        const MagicSource source{argument, rules};
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

} // namespace

TEST_CASE("a name is a file, and a name with a | at its end a command") {
    Scenario scenario;
    scenario.write_file("file", "bytes");
    CHECK(text_of("file", usual) == "bytes");
    CHECK(text_of("echo 'a  b' |", usual) == "a  b\n");
    CHECK(text_of("sh -c 'echo x; exit 3'|", usual) == "x\nexit 3");
    CHECK(MagicSource{"-", usual}.name() == "standard input");
}

TEST_CASE("only a shell expands and pipes") {
    CHECK(failure("echo $HOME|", usual) ==
          "cannot run echo $HOME|: column 6: only a shell can act on this $; quote it, or use "
          "--shell");
    CHECK(text_of("x=7; echo $x | cat|", uses_shell) == "7\n");
}

TEST_CASE("a command that is also a file's name is not run unless the user says so") {
    Scenario scenario;
    scenario.write_file("echo|", "a file");
    CHECK(failure("echo|", usual) ==
          "cannot read echo|: a file has this name; write ./echo| for the file, or use --exec for "
          "the command");
    CHECK(text_of("./echo|", usual) == "a file");
    CHECK(text_of(scenario.path("echo|"), usual) == "a file");
    CHECK(text_of("echo|", literal) == "a file");
    CHECK(text_of("echo|", prefers_command) == "\n");
}

TEST_CASE("a > or a | at the front has no special meaning") {
    Scenario scenario;
    CHECK(failure(">file", usual) == "cannot open >file: No such file or directory");
    CHECK(failure("|cat", usual) == "cannot open |cat: No such file or directory");
    CHECK_FALSE(scenario.exists("file"));
}

TEST_CASE("a command that cannot be run says why") {
    CHECK(failure("|", usual) == "cannot run |: the command before the | is missing");
    CHECK(failure("no-such-program|", usual).find("No such file") != std::string::npos);
    CHECK(failure("echo|", literal) == "cannot open echo|: No such file or directory");
    CHECK(failure("-", literal) == "cannot open -: No such file or directory");
}
