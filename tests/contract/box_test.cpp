// The contract of the box itself: dispatch, its options, and its manual page.
#include "contract/contract.h"
#include "harness/environment.h"
#include "harness/scenario.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/core.h>

using namespace ipcbox::test;

namespace {

std::vector<std::string> applets(Scenario& scenario) {
    return lines(scenario.run({"ipcbox", "--list"}).out);
}

void check_usage_error(const Result& result) {
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK_MESSAGE(is_one_line(result.err), result.err);
    CHECK(result.err.starts_with("ipcbox: "));
    CHECK(result.err.ends_with(" (see ipcbox --help)\n"));
}

} // namespace

TEST_CASE("--help fits into 80 columns") {
    Scenario scenario;
    const auto help = scenario.run({"ipcbox", "--help"});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    for (const char* part : {"Usage: ipcbox APPLET", "\nOptions:\n", "\nExamples:\n"})
        CHECK(help.out.find(part) != std::string::npos);
    for (const auto& line : lines(help.out))
        CHECK_MESSAGE(line.size() <= 80, line);
    CHECK(scenario.run({"ipcbox", "-h"}).out == help.out);
    CHECK(scenario.run({"ipcbox", "-V"}).out == scenario.run({"ipcbox", "--version"}).out);
}

TEST_CASE("--version names the version and, where git knew it, the commit") {
    Scenario scenario;
    const auto version = scenario.run({"ipcbox", "--version"}).out;
    CHECK(scenario
              .shell("echo \"$1\" | grep -Eqx 'ipcbox [0-9]+(\\.[0-9]+){2}"
                     "( \\([0-9a-f]{12}(-dirty)?\\))?'",
                     {version.substr(0, version.size() - 1)})
              .status == 0);
}

TEST_CASE("--list is sorted; --list=full adds groups and summaries in columns") {
    Scenario scenario;
    const auto names = applets(scenario);
    REQUIRE(names.size() >= 3);
    CHECK(std::ranges::is_sorted(names));
    const auto full = lines(scenario.run({"ipcbox", "--list=full"}).out);
    REQUIRE(full.size() == names.size());
    for (std::size_t at = 0; at < full.size(); ++at) {
        const auto& line = full[at];
        CAPTURE(line);
        CHECK(split(line, ' ')[0] == names[at]);
        REQUIRE(line.size() > 32);
        for (const auto column : {std::size_t{22}, std::size_t{32}}) {
            CHECK(line[column] != ' ');
            CHECK(line[column - 1] == ' ');
        }
    }
}

TEST_CASE("an unknown applet has status 127, and the nearest name is suggested") {
    Scenario scenario;
    const auto swapped = scenario.run({"ipcbox", "sem-tkae", "--help"});
    CHECK(swapped.status == 127);
    CHECK(swapped.out.empty());
    CHECK(is_one_line(swapped.err));
    CHECK(swapped.err.find("'sem-take'") != std::string::npos);
    for (const auto& name : applets(scenario))
        CHECK(scenario.run({"ipcbox", name + "x"}).err.find("'" + name + "'") != std::string::npos);
    CHECK(scenario.run({"ipcbox", std::string(5000, 'x')}).status == 127);
    const auto link = scenario.shell("ln -s \"$IPCBOX_BINARY\" sem-gvie && ./sem-gvie");
    CHECK(link.status == 127);
    CHECK(link.err.find("'sem-give'") != std::string::npos);
}

TEST_CASE("an applet can be a login shell, whose name login begins with a hyphen") {
    Scenario scenario;
    for (const std::string line : {"'-signal-list', 'TERM'", "'-ipcbox', 'signal-list', 'TERM'"}) {
        CAPTURE(line);
        CHECK(scenario.shell("perl -e \"exec { \\$ENV{IPCBOX_BINARY} } " + line + '"').out ==
              "15\n");
    }
}

TEST_CASE("no applet is suggested when no name is similar") {
    Scenario scenario;
    for (const char* name : {"nosuch", "", "x", "42", "netcat"}) {
        CAPTURE(name);
        const auto unknown = scenario.run({"ipcbox", name});
        CHECK(unknown.status == 127);
        CHECK(unknown.err ==
              fmt::format("ipcbox: unknown applet '{}' (see ipcbox --list)\n", name));
    }
    CHECK(scenario.run({"ipcbox", "wget"}).err.find("'webget'") != std::string::npos);
}

TEST_CASE("--help lists each applet with its summary, under the title of its group") {
    Scenario scenario;
    const auto help = scenario.run({"ipcbox", "--help"}).out;
    for (const auto& line : lines(scenario.run({"ipcbox", "--list=full"}).out)) {
        CAPTURE(line);
        const auto summary = line.substr(32);
        CHECK(help.find(fmt::format("\n  {:<18}  {}\n", split(line, ' ')[0], summary)) !=
              std::string::npos);
        CHECK(help.find(fmt::format("\n{}:\n", split(line, ' ')[1])) == std::string::npos);
    }
}

TEST_CASE("on a terminal, the part of the help that concerns the mistake is shown") {
    Scenario scenario;
    const auto on_terminal = [&scenario](const std::string& command) {
        return scenario.run({"script", "-qec", command, "/dev/null"});
    };
    const auto value = on_terminal("sem-take -w soon");
    CHECK(value.status == 2);
    CHECK(value.out.find("(see sem-take --help)\r\n  -w, --wait DURATION      ") !=
          std::string::npos);
    CHECK(on_terminal("sem-take --wait").out.find("\n  -w, --wait ") != std::string::npos);
    CHECK(on_terminal("sem-take --quiet=x").out.find("\n  -q, --quiet ") != std::string::npos);
    CHECK(contains(on_terminal("sem-take --wiat=5").out, "did you mean --wait? (see"));
    CHECK(contains(on_terminal("sem-take --wiat=5").out, "\n  -w, --wait "));
    CHECK(contains(on_terminal("sem-take @a --").out, "\nUsage: sem-take "));
    const auto overview = on_terminal("env NO_COLOR=1 \"$IPCBOX_BINARY\"");
    CHECK(overview.status == 2);
    CHECK(contains(overview.out, "\nPipes and FIFOs:\r\n  fifosig magic-cat "));
    CHECK(is_one_line(scenario.run({"sem-take", "-w", "soon"}).err));
}

TEST_CASE("the help has colours on a terminal, unless NO_COLOR or TERM says no") {
    Scenario scenario;
    const auto help = [&scenario](const std::string& variables, const std::string& command) {
        return scenario.run({"script", "-qec", "env " + variables + " " + command, "/dev/null"})
            .out;
    };
    for (const std::string command : {"sem-take --help", "\"$IPCBOX_BINARY\" --help"}) {
        CHECK(contains(help("NO_COLOR= TERM=xterm", command), "\n\x1b[1mOptions:\x1b[0m\r\n"));
        CHECK_FALSE(contains(help("NO_COLOR=1 TERM=xterm", command), "\x1b"));
        CHECK_FALSE(contains(help("NO_COLOR= TERM=dumb", command), "\x1b"));
        CHECK_FALSE(contains(help("-u TERM", command), "\x1b"));
    }
    CHECK_FALSE(contains(scenario.run({"env", "TERM=xterm", "sem-take", "--help"}).out, "\x1b"));
}

TEST_CASE("help APPLET opens the manual page on a terminal, or else prints the help") {
    Scenario scenario;
    const auto help = scenario.run({"sem-take", "--help"}).out;
    CHECK(scenario.run({"ipcbox", "help", "sem-take"}).out == help);
    CHECK(scenario.run({"ipcbox", "help"}).out == scenario.run({"ipcbox", "--help"}).out);
    CHECK(scenario.run({"ipcbox", "help", "sem-tkae"}).status == 127);
    check_usage_error(scenario.run({"ipcbox", "help", "sem-take", "sem-give"}));

    const auto on_terminal = [&scenario](std::string_view man) {
        std::filesystem::create_directory("bin");
        scenario.write_file("bin/man", man);
        return scenario.run({"script", "-qec",
                             "chmod +x bin/man; PATH=$PWD/bin:$PATH NO_COLOR=1 "
                             "\"$IPCBOX_BINARY\" help sem-take",
                             "/dev/null"});
    };
    SUBCASE("man has the page") {
        const auto page = on_terminal("#!/bin/sh\n[ \"$1\" != -w ] || set /man.1\necho \"$*\"\n");
        CHECK(page.out == "1 ipcbox-sem-take\r\n");
        CHECK(page.status == 0);
    }
    SUBCASE("man lacks the page") {
        CHECK(contains(on_terminal("#!/bin/sh\nexit 16\n").out, "\nExamples:\r\n"));
    }
    SUBCASE("man cannot be executed any more") {
        const auto page = on_terminal("#!/bin/sh\nrm bin/man\necho /man.1\n");
        CHECK(contains(page.out, "\nExamples:\r\n"));
        CHECK(page.status == 0);
    }
    SUBCASE("man prints something else") {
        CHECK(contains(on_terminal("#!/bin/sh\necho install man\n").out, "\nExamples:\r\n"));
    }
}

TEST_CASE("options without an effect beside each other are refused, and named") {
    Scenario scenario;
    const Variable no_cluster{"IPCBOX_ETCD", ""};
    const std::vector<std::pair<Words, std::string>> cases{
        {{"sem-take", "--ttl", "5m", "@x"}, "--ttl, --on-lost and --grace need --etcd"},
        {{"sem-take", "--on-lost", "warn", "@x"}, "--ttl, --on-lost and --grace need --etcd"},
        {{"sem-take", "--grace", "1s", "@x"}, "--ttl, --on-lost and --grace need --etcd"},
        {{"signal-send", "-HUP", "--escalate", "TERM:1s,KILL", "1"},
         "--signal and --escalate cannot be combined"},
        {{"signal-list", "-L", "9"}, "--table cannot be combined with SIGNAL, "},
        {{"signal-list", "-L", "--mask", "f0"}, "--table cannot be combined with SIGNAL, "},
        {{"reap-run", "--list", "-w"}, "--list cannot be combined with the options for a command"},
        {{"reap-run", "--list", "--report", "f"}, "--list cannot be combined with "},
        {{"daemon-run", "-a", "true"}, "--append needs --output or --error"},
        {{"daemon-run", "--ready-timeout", "1s", "true"}, "--ready-timeout needs --ready-fd, "},
        {{"forking-tcp-server", "--once", "--count", "3", "0"},
         "--once and --count cannot be combined"},
        {{"catsock-server", "--count", "3", "-1", "./s"}, "--once and --count cannot be combined"},
        {{"command-server", "--iterative", "-c", "5", "0"},
         "--iterative and --connections cannot be combined"},
        {{"timecheck", "--max", "3", "localhost"}, "--max needs --network"},
        {{"open2-run", "--pty", "--pty-of", "1", "--", "cat", "--with", "true"},
         "--pty and --pty-of cannot be combined"},
        {{"open2-run", "--ask", "x", "-k", "1", "--", "cat"},
         "--kill-after and --ask cannot be combined"},
        {{"time-server", "--tcp", "--rate", "3", "0"}, "--rate and --tcp cannot be combined"},
        {{"webget", "-r", "0-4", "-T", "f", "http://a/"},
         "--range cannot be combined with data to send"},
        {{"webget", "-r", "0-4", "-d", "x", "http://a/"},
         "--range cannot be combined with data to send"},
        {{"tcp-client", "-z", "--max-bytes", "3", "localhost"}, "-z cannot be combined with "},
        {{"catsock-client", "--wait-for", "./s", "--max-bytes", "3"},
         "--wait-for cannot be combined with "},
    };
    for (const auto& [words, message] : cases) {
        const auto result = scenario.run(words);
        CAPTURE(result.err);
        CHECK(result.status == 2);
        CHECK(result.err.starts_with(words.front() + ": " + message));
    }
    // The tools from which they come have an order for these.
    CHECK(scenario.run({"lock-run", "-n", "-w", "9", "lock", "true"}).status == 0);
    CHECK(scenario.run({"reap-run", "--list"}).status == 0);
    CHECK(scenario.run({"daemon-run", "-a", "-p", "pid", "--status"}).status == 3);
}

TEST_CASE("the box works under any name that begins with its own") {
    Scenario scenario;
    const auto result =
        scenario.shell("ln -s \"$IPCBOX_BINARY\" ipcbox-1.0 && ./ipcbox-1.0 --list");
    CHECK(result.status == 0);
    CHECK(lines(result.out) == applets(scenario));
}

TEST_CASE("an invalid command line is reported in one line, with status 2") {
    Scenario scenario;
    const std::vector<Words> cases{
        {"ipcbox"},
        {"ipcbox", "--no-such-option"},
        {"ipcbox", "-x"},
        {"ipcbox", "--list=short"},
        {"ipcbox", "--list", "full"},
        {"ipcbox", "--help", "sem-take"},
        {"ipcbox", "--install"},
        {"ipcbox", "--install", "--force"},
        {"ipcbox", "--install", "a", "b"},
        {"ipcbox", "--install", "a", "--froce"},
        {"ipcbox", "--completion"},
        {"ipcbox", "--completion", "tcsh"},
        {"ipcbox", "--completion", "bash", "zsh"},
    };
    for (const auto& words : cases) {
        CAPTURE(words.back());
        check_usage_error(scenario.run(words));
    }
    CHECK(
        scenario.run({"ipcbox", "-v", "sem-take", "@x"}).err ==
        "ipcbox: expected the name of the applet first: ipcbox sem-take -v (see ipcbox --help)\n");
}

TEST_CASE("a program started without a name does not crash") {
    Scenario scenario;
    // execve(2) can pass no argv at all. Since Linux 5.18, the kernel then adds an empty name.
    check_usage_error(scenario.run({"perl", "-e", "exec { $ENV{IPCBOX_BINARY} } () or die $!"}));
    check_usage_error(scenario.run({"perl", "-e", "exec { $ENV{IPCBOX_BINARY} } ''"}));
}

TEST_CASE("a lost write to standard output is a failure") {
    Scenario scenario;
    for (const char* option : {"--help", "--version", "--list", "--list=full"})
        for (const char* to : {">/dev/full", ">&-"}) {
            const auto result =
                scenario.shell("exec \"$IPCBOX_BINARY\" " + std::string{option} + to);
            CHECK(result.status == 1);
            CHECK_MESSAGE(is_one_line(result.err), result.err);
        }
}

TEST_CASE("the trace includes the calls of the box itself") {
    Scenario scenario;
    const auto traced = scenario.run({"env", "IPCBOX_TRACE=1", binary(), "--list"});
    CHECK(lines(traced.out) == applets(scenario));
    CHECK(traced.err.find("write(1, ") != std::string::npos);
}

TEST_CASE("--install creates links that work") {
    Scenario scenario;
    std::filesystem::create_directory("links");
    const auto installed = scenario.run({"ipcbox", "--install", "links"});
    CHECK(installed.status == 0);
    CHECK(installed.out.empty());
    CHECK(installed.err.empty());
    for (const auto& name : applets(scenario)) {
        CHECK(std::filesystem::is_symlink("links/" + name));
        CHECK(scenario.run({scenario.path("links/" + name), "--version"}).status == 0);
    }
}

TEST_CASE("--install refuses a file that is in the way, and --force replaces it") {
    Scenario scenario;
    std::filesystem::create_directory("links");
    scenario.write_file("links/sem-take", "mine");
    const auto refused = scenario.run({"ipcbox", "--install", "links"});
    CHECK(refused.status == 1);
    CHECK(refused.err == "ipcbox: cannot create links/sem-take: File exists\n");
    CHECK(scenario.read_file("links/sem-take") == "mine");
    CHECK(scenario.exists("links/sem-give")); // one failure does not stop the others

    SUBCASE("--force before the directory") {
        CHECK(scenario.run({"ipcbox", "--install", "--force", "links"}).status == 0);
    }
    SUBCASE("--force after the directory") {
        CHECK(scenario.run({"ipcbox", "--install", "links", "--force"}).status == 0);
    }
    CHECK(std::filesystem::is_symlink("links/sem-take"));
    const auto entries = std::filesystem::directory_iterator{"links"};
    CHECK(static_cast<std::size_t>(std::distance(begin(entries), end(entries))) ==
          applets(scenario).size());
}

TEST_CASE("--install again over its own links needs no force") {
    Scenario scenario;
    std::filesystem::create_directory("links");
    CHECK(scenario.run({"ipcbox", "--install", "links"}).status == 0);
    CHECK(scenario.run({"ipcbox", "--install", "links"}).status == 0);
}

TEST_CASE("--install --force leaves a directory that has an applet's name alone") {
    Scenario scenario;
    std::filesystem::create_directories("links/sem-take");
    const auto result = scenario.run({"ipcbox", "--install", "links", "--force"});
    CHECK(result.status == 1);
    CHECK_MESSAGE(is_one_line(result.err), result.err);
    CHECK(std::filesystem::is_directory("links/sem-take"));
}

TEST_CASE("--install into a missing directory or a file is reported once") {
    Scenario scenario;
    const auto missing = scenario.run({"ipcbox", "--install", "nowhere"});
    CHECK(missing.status == 1);
    CHECK(missing.err == "ipcbox: cannot install into nowhere: No such file or directory\n");
    scenario.write_file("file", "");
    const auto file = scenario.run({"ipcbox", "--install", "file"});
    CHECK(file.status == 1);
    CHECK(file.err == "ipcbox: cannot install into file: Not a directory\n");
}

TEST_CASE("the manual page is clean mdoc and has every option of the help") {
    Scenario scenario;
    const auto page = variable("CONTRACT_MANUALS") + "/ipcbox.1";
    const auto text = file_text(page);
    for (const char* option : {"-list", "-list=full", "-install", "-force", "-completion", "-help",
                               "-version", "h", "V"})
        CHECK_MESSAGE(text.find(std::string{"Fl "} + option) != std::string::npos, option);
    for (const char* status : {"0", "1", "2", "124", "125", "126", "127", "128"})
        CHECK_MESSAGE(text.find(std::string{"\n.It "} + status) != std::string::npos, status);
    if (!can_run("mandoc")) return;
    const auto lint = scenario.run({"mandoc", "-Tlint", "-Wwarning", page});
    CHECK_MESSAGE(lint.out.empty(), lint.out);
}
