// pipe-run beside pipelines of bash: the same output, and the same statuses as in PIPESTATUS. Only
// a broken pipe differs, which is on purpose no failure for pipe-run. magic-cat beside Perl's <>
// and cat(1).
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <ranges>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

struct Case {
    std::vector<const char*> stages; // each is a script for sh(1)
    const char* input = "";
};

const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        {{"true"}},
        {{"false"}},
        {{"exit 3"}},
        {{"cat"}, "text\n"},
        {{"cat", "cat"}, "text\n"},
        {{"cat", "tr a-z A-Z"}, "no line feed"},
        {{"false", "true"}},
        {{"true", "false"}},
        {{"false", "false"}},
        {{"exit 3", "exit 4", "exit 5"}},
        {{"exit 3", "true", "exit 5", "true"}},
        {{"echo one", "cat >/dev/null; exit 9"}},
        {{"kill -TERM $$", "cat"}},
        {{"cat >/dev/null", "kill -KILL $$"}, "text"},
        {{"kill -INT $$", "cat"}},
        {{"kill -HUP $$", "exit 2"}},
        {{"seq 10000", "tail -n1"}},
        {{"seq 10000", "sort -r", "sed -n 1p", "wc -c"}},
        {{"seq 10000", "grep -c 7", "cat"}},
        {{"seq 100", "grep nothing", "cat"}},
        {{"exec 1>&-; echo x", "cat"}},
        {{"printf 'a\\0b'", "od -c"}},
        {{"head -c 300000 /dev/zero", "cksum"}},
        {{"echo out; echo err >&2", "cat"}},
        {{"exit 255", "true"}},
        {{"cat /no/such/file", "cat"}},
        {{"echo 'a b  c'", "read x; echo \"$x\""}},
        {{"echo $((6 * 7))", "cat", "cat", "cat", "cat", "cat", "cat"}},
        {{"sleep 0", "echo late"}},
        {{"exec cat", "exec cat", "cat >/dev/null; exit 7"}, "x"},
        {{"exec sh -c 'exit 126'", "exec sh -c 'exit 127'"}},
    };
    return all;
}

std::string quoted(std::string_view script) {
    std::string text{"'"};
    for (const char byte : script)
        text += byte == '\'' ? std::string{"'\\''"} : std::string{byte};
    return text + "'";
}

// The status of bash, and the list of the pipeline's statuses.
std::string bash_pipeline(const Case& test) {
    std::string line;
    for (const auto* stage : test.stages)
        line += fmt::format("{}sh -c {}", line.empty() ? "" : " | ", quoted(stage));
    return fmt::format(
        "set -o pipefail; {}; s=$? p=${{PIPESTATUS[*]}}; echo \"$p\" >statuses; exit $s", line);
}

std::string statuses_in(std::string_view report) {
    std::string statuses;
    constexpr std::string_view member = "\"status\":";
    for (auto at = report.find(member); at != std::string_view::npos;
         at = report.find(member, at)) {
        at += member.size();
        statuses += fmt::format("{}{}", statuses.empty() ? "" : " ",
                                report.substr(at, report.find(',', at) - at));
    }
    return statuses + "\n";
}

} // namespace

TEST_CASE("pipe-run has bash's output, status and PIPESTATUS") {
    for (const auto& test : cases()) {
        Scenario scenario;
        const auto script = bash_pipeline(test);
        CAPTURE(script);
        const auto theirs = scenario.run({"bash", "-c", script}, test.input);
        Words words{"pipe-run", "--report", "report", "--"};
        for (const auto* stage : test.stages) {
            if (words.size() > 4) words.emplace_back("--then");
            words.insert(words.end(), {"sh", "-c", stage});
        }
        const auto ours = scenario.run(words, test.input);
        CHECK(ours.out == theirs.out);
        CHECK(ours.status == theirs.status);
        CHECK(statuses_in(scenario.read_file("report")) == scenario.read_file("statuses"));
    }
}

TEST_CASE("pipe-run differs from bash only when a reader has seen enough") {
    Scenario scenario;
    const auto theirs = scenario.run({"bash", "-c", "set -o pipefail; yes | head -n1"});
    CHECK(theirs.status == 141);
    CHECK(scenario.run({"pipe-run", "--", "yes", "--then", "head", "-n1"}).status == 0);
    CHECK(scenario.run({"pipe-run", "--strict", "--", "yes", "--then", "head", "-n1"}).status ==
          141);
}

TEST_CASE("magic-cat writes what Perl's <> reads") {
    Scenario scenario;
    scenario.write_file("f1", "one\n");
    scenario.write_file("f2", "no line feed");
    const Words sources{"f1", "echo two|", "-", "printf '%s\n' 'a  b' \"c\"|", "f2"};
    Words theirs{"perl", "-e", "print while <>"};
    Words ours{"magic-cat"};
    for (auto* words : {&theirs, &ours})
        words->insert(words->end(), sources.begin(), sources.end());
    CHECK(scenario.run(ours, "three\n").out == scenario.run(theirs, "three\n").out);
    // Perl says nothing about a missing command.
    CHECK(scenario.run({"magic-cat", "no-such-program|"}).status == 1);
}

TEST_CASE("magic-cat writes and numbers files as cat does") {
    Scenario scenario;
    scenario.write_file("f1", "one\n\ntwo");
    scenario.write_file("f2", "three\n");
    for (const Words& options : {Words{}, Words{"-n"}}) {
        Words theirs{"cat"};
        Words ours{"magic-cat"};
        for (auto* words : {&theirs, &ours}) {
            words->insert(words->end(), options.begin(), options.end());
            words->insert(words->end(), {"f1", "f2", "-", "/proc/version"});
        }
        CHECK(scenario.run(ours, "input\n").out == scenario.run(theirs, "input\n").out);
    }
}

TEST_CASE("open2-run --ask holds the dialogue that a Perl script holds by open2") {
    Scenario scenario;
    const auto theirs = scenario.run({"perl", "-MIPC::Open2", "-e",
                                      "my $pid = open2(my $from, my $to, 'cat', '-u', '-n');"
                                      "for my $line ('stuff', 'more') {"
                                      "  print $to \"$line\\n\"; $to->flush; print scalar <$from> }"
                                      "close $to; waitpid $pid, 0; exit $? >> 8"});
    const auto ours =
        scenario.run({"open2-run", "--ask", "stuff", "--ask", "more", "--", "cat", "-u", "-n"});
    CHECK(theirs.status == 0);
    CHECK(ours.status == 0);
    CHECK(ours.out == theirs.out);
}
