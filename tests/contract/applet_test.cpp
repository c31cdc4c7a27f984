// The contract that every applet keeps. meson runs this once for each name in the dictionary:
// $CONTRACT_APPLET is the name, and $CONTRACT_MANUALS the directory of the manual pages.
#include "contract/contract.h"
#include "harness/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <set>

using namespace ipcbox::test;

namespace {

const std::string applet = variable("CONTRACT_APPLET");
const std::string manual = variable("CONTRACT_MANUALS") + "/ipcbox-" + applet + ".1";

// An option as the help shows it.
struct HelpOption {
    std::vector<std::string> names; // "-w", "--wait"
    std::string value;              // "DURATION", or empty
};

// The titles in the help that have rows of options below them: "Options", and the sections.
std::vector<std::string> sections_of(const std::string& help) {
    std::vector<std::string> titles;
    std::string title;
    for (const auto& line : lines(help)) {
        if (!line.starts_with(' ')) title = line;
        const bool is_option = line.starts_with("  -") || line.starts_with("      --");
        if (!is_option || !title.ends_with(':') || title == "Examples:") continue;
        if (titles.empty() || titles.back() + ':' != title)
            titles.push_back(title.substr(0, title.size() - 1));
    }
    return titles;
}

// The rows " -w, --wait DURATION text" below those titles.
std::vector<HelpOption> options_of(const std::string& help) {
    std::vector<HelpOption> options;
    const auto sections = sections_of(help);
    bool inside = false;
    for (const auto& line : lines(help)) {
        if (!line.starts_with(' '))
            inside = std::ranges::find(sections, line.substr(0, line.size() - 1)) != sections.end();
        const auto start = line.find_first_not_of(' ');
        if (!inside || start > 6 || line[start] != '-') continue;
        HelpOption option;
        std::string_view row{line};
        row.remove_prefix(start);
        row = row.substr(0, row.find("  "));
        while (row.starts_with('-')) {
            const auto name = row.substr(0, row.find_first_of(", "));
            option.names.emplace_back(name);
            row.remove_prefix(name.size());
            row.remove_prefix(std::min(row.find_first_not_of(", "), row.size()));
        }
        option.value = row;
        options.push_back(option);
    }
    return options;
}

// The options of the manual page: the words after each Fl of its list items.
std::set<std::string> options_of_manual(const std::string& page) {
    std::set<std::string> options;
    for (const auto& line : lines(page)) {
        if (!line.starts_with(".It ")) continue;
        const auto words = split(line, ' ');
        for (std::size_t at = 0; at + 1 < words.size(); ++at)
            if (words[at] == "Fl") options.insert("-" + words[at + 1]);
    }
    return options;
}

void check_usage_error(const Result& result) {
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    CHECK_MESSAGE(is_one_line(result.err), result.err);
    CHECK(result.err.starts_with(applet + ": "));
    CHECK(result.err.ends_with(" (see " + applet + " --help)\n"));
}

void check_lost_output(const Result& result) {
    CHECK(result.status == 1);
    CHECK_MESSAGE(is_one_line(result.err), result.err);
    CHECK(result.err.starts_with(applet + ": cannot write standard output: "));
}

} // namespace

TEST_CASE("--help fits into 80 columns") {
    Scenario scenario;
    const auto help = scenario.run({applet, "--help"});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    CHECK(help.out.starts_with("Usage: " + applet + " [OPTION...]"));
    const auto sections = sections_of(help.out);
    REQUIRE_FALSE(sections.empty());
    CHECK(sections.back() == (sections.size() > 1 ? "General" : "Options"));
    CHECK(help.out.find("\nExamples:\n  ") != std::string::npos);
    for (const auto& line : lines(help.out)) {
        CHECK_MESSAGE(line.size() <= 80, line);
        CHECK_MESSAGE(!line.ends_with(' '), line);
    }
    CHECK(scenario.run({applet, "-h"}).out == help.out);
}

TEST_CASE("each example of the help calls the applet") {
    Scenario scenario;
    const auto help = scenario.run({applet, "--help"}).out;
    for (const auto& line : lines(help.substr(help.find("\nExamples:\n"))))
        if (line.starts_with("  ") && !line.starts_with("   "))
            CHECK_MESSAGE(line.find(applet) != std::string::npos, line);
}

TEST_CASE("--version prints the version of the box") {
    Scenario scenario;
    const auto version = scenario.run({applet, "--version"});
    CHECK(version.status == 0);
    CHECK(version.err.empty());
    CHECK(is_one_line(version.out));
    CHECK(version.out == scenario.run({"ipcbox", "--version"}).out);
    CHECK(version.out == scenario.run({applet, "-V"}).out);
}

TEST_CASE("an invalid command line is reported in one line, with status 2") {
    Scenario scenario;
    check_usage_error(scenario.run({applet, "--no-such-option"}));
    check_usage_error(scenario.run({applet, "--no-such-option=1"}));
    check_usage_error(scenario.run({applet, "-\x01"}));
}

TEST_CASE("a bad value is reported with its option and the expected form") {
    // These values have a grammar. A TEXT or a FILE can be anything.
    const std::set<std::string> strict{"COUNT", "DURATION", "FD",     "MODE",   "NUMBER", "OFFSET",
                                       "PID",   "PORT",     "SIGNAL", "SIZE",   "SLOTS",  "STATUS",
                                       "BYTES", "KEY",      "USER",   "SECONDS"};
    Scenario scenario;
    for (const auto& option : options_of(scenario.run({applet, "--help"}).out)) {
        CAPTURE(option.names.back());
        if (option.value.empty()) continue;
        check_usage_error(scenario.run({applet, option.names.back()}));
        if (!strict.contains(option.value)) continue;
        const auto& name = option.names.back();
        const auto result = name.starts_with("--") ? scenario.run({applet, name + "=no such"})
                                                   : scenario.run({applet, name, "no such"});
        check_usage_error(result);
        CHECK_MESSAGE(result.err.starts_with(fmt::format("{}: {} 'no such': ", applet, name)),
                      result.err);
    }
}

TEST_CASE("a lost write to standard output is a failure") {
    Scenario scenario;
    for (const char* option : {"--help", "--version"}) {
        check_lost_output(scenario.shell("exec \"$@\" >/dev/full", {applet, option}));
        check_lost_output(scenario.shell("exec \"$@\" >&-", {applet, option}));
    }
}

TEST_CASE("an applet works with closed standard descriptors") {
    Scenario scenario;
    const auto help = scenario.run({applet, "--help"}).out;
    const auto no_input = scenario.shell("exec \"$@\" <&-", {applet, "--help"});
    CHECK(no_input.status == 0);
    CHECK(no_input.out == help);
    const auto no_errors = scenario.shell("exec \"$@\" 2>&-", {applet, "--help"});
    CHECK(no_errors.status == 0);
    CHECK(no_errors.out == help);
    CHECK(scenario.shell("exec \"$@\" 2>&-", {applet, "--no-such-option"}).status == 2);
    CHECK(scenario.shell("exec \"$@\" <&- >&- 2>&-", {applet, "--help"}).status == 1);
}

TEST_CASE("a reader that leaves early ends the applet silently") {
    Scenario scenario;
    // The reader leaves before the applet starts. 141 is 128 + SIGPIPE.
    const auto result = scenario.shell("mkfifo fifo; exec 3<>fifo 4>fifo 3<&-; \"$@\" >&4; echo $?",
                                       {applet, "--help"});
    CHECK(result.out == "141\n");
    CHECK(result.err.empty());
}

TEST_CASE("the trace goes to standard error") {
    Scenario scenario;
    const auto plain = scenario.run({applet, "--help"});
    for (const char* variable : {"IPCBOX_TRACE=1", "IPCBOX_TRACE=yes"}) {
        const auto traced = scenario.run({"env", variable, applet, "--help"});
        CHECK(traced.status == 0);
        CHECK(traced.out == plain.out);
        CHECK(traced.err.find("write(1, ") != std::string::npos);
        for (const auto& line : lines(traced.err))
            CHECK_MESSAGE((line.starts_with('[') && line.find(") = ") != std::string::npos), line);
    }
    CHECK(scenario.run({"env", "IPCBOX_TRACE=0", applet, "--help"}).err.empty());
    CHECK(scenario.run({"env", "IPCBOX_TRACE=", applet, "--help"}).err.empty());
}

TEST_CASE("an applet behaves the same through the box, a link and a path") {
    Scenario scenario;
    const auto through_link = scenario.run({applet, "--help"});
    const auto through_box = scenario.run({"ipcbox", applet, "--help"});
    CHECK(through_box.out == through_link.out);
    CHECK(through_box.status == 0);
    CHECK(scenario.run({"ipcbox", applet, "--no-such-option"}).err ==
          scenario.run({applet, "--no-such-option"}).err);
    const auto through_path = scenario.shell("exec \"$(command -v \"$1\")\" --help", {applet});
    CHECK(through_path.out == through_link.out);
}

TEST_CASE("the manual page is clean mdoc") {
    if (!can_run("mandoc")) return;
    Scenario scenario;
    const auto lint = scenario.run({"mandoc", "-Tlint", "-Wwarning", manual});
    CHECK_MESSAGE(lint.status == 0, lint.out);
    CHECK_MESSAGE(lint.out.empty(), lint.out);
}

TEST_CASE("the manual page and the help have the same options") {
    Scenario scenario;
    std::set<std::string> helped;
    for (const auto& option : options_of(scenario.run({applet, "--help"}).out))
        helped.insert(option.names.begin(), option.names.end());
    const auto documented = options_of_manual(file_text(manual));
    for (const auto& name : helped)
        CHECK_MESSAGE(documented.contains(name), "not in the manual page: ", name);
    for (const auto& name : documented)
        CHECK_MESSAGE(helped.contains(name), "not in the help: ", name);
}

TEST_CASE("the manual page groups the options as the help does") {
    Scenario scenario;
    const auto page = file_text(manual);
    std::size_t at = 0;
    for (const auto& title : sections_of(scenario.run({applet, "--help"}).out)) {
        if (title == "Options") continue; // these options have no title in the page
        CAPTURE(title);
        const auto found = page.find("\n.Ss " + title + "\n", at);
        REQUIRE(found != std::string::npos);
        at = found;
    }
}

TEST_CASE("the manual page's NAME is the summary of --list=full") {
    Scenario scenario;
    const auto page = file_text(manual);
    const auto list = scenario.run({"ipcbox", "--list=full"}).out;
    bool listed = false;
    for (const auto& line : lines(list)) {
        const auto columns = split(line, ' ');
        if (columns[0] != applet) continue;
        listed = true;
        const auto group = line.find(columns[1], applet.size()); // tcp-server is of the group tcp
        const auto summary = line.substr(line.find(columns[2], group + columns[1].size()));
        CHECK(page.find(fmt::format("\n.Nm {}\n.Nd {}\n", applet, summary)) != std::string::npos);
        CHECK(lines(scenario.run({applet, "--help"}).out)[1] == summary);
    }
    CHECK(listed);
}

TEST_CASE("the manual page has its sections in mdoc's order") {
    const auto page = file_text(manual);
    std::size_t at = 0;
    for (const char* section :
         {"NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "SEE ALSO"}) {
        CAPTURE(section);
        const auto found = page.find(std::string{"\n.Sh "} + section + "\n");
        REQUIRE(found != std::string::npos);
        CHECK(found > at);
        at = found;
    }
}
