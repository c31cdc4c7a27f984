#include "cli/options.h"

#include "cli/output.h"
#include "cli/values.h"
#include "core/io.h"
#include "core/pipe.h"

#include <array>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <unistd.h>

using namespace ipcbox;

namespace {

using Words = std::vector<std::string>;

struct Parsed {
    bool all = false;
    bool brief = false;
    std::string wait;
    std::vector<std::string> files;
    int count = 0;
    std::string key = "default";
    std::string second;
    Words command;
    cli::Verbosity verbosity;
};

enum class Takes { operands, command };

// Parses WORDS as an applet with these options would.
Parsed parse(Words words, Takes takes = Takes::operands) {
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    Parsed parsed;
    cli::Options options{{"test", "parse options", arguments}, "[KEY [SECOND]]"};
    options.flag("-a,--all", parsed.all, "everything");
    options.flag("-b", parsed.brief, "a letter alone");
    options.value("-w,--wait DURATION", parsed.wait, cli::parse_text, "a value");
    options.value("--count NUMBER", parsed.count, cli::number_between(-5, 5), "a strict value");
    options.values("-f,--file FILE", parsed.files, cli::parse_text, "can be repeated");
    options.operand("KEY", parsed.key, cli::parse_text, "an operand");
    if (takes == Takes::command)
        options.command(parsed.command);
    else
        options.operand("SECOND", parsed.second, cli::parse_text, "another operand");
    parsed.verbosity = options.parse();
    return parsed;
}

std::string error_of(const Words& words, Takes takes = Takes::operands) {
    try {
        (void)parse(words, takes);
    } catch (const cli::UsageError& error) {
        CHECK(error.status() == exit_status::usage);
        return error.what();
    }
    return "no error";
}

// The text that WORK prints, through the buffer of standard output.
std::string printed_by(const std::function<void()>& work) {
    cli::flush(); // the tests before may have left something in the buffer
    const Pipe pipe = make_pipe();
    const Fd saved = Fd::adopt(::dup(STDOUT_FILENO));
    REQUIRE(::dup2(pipe.writer.get(), STDOUT_FILENO) == STDOUT_FILENO);
    work();
    cli::flush();
    REQUIRE(::dup2(saved.get(), STDOUT_FILENO) == STDOUT_FILENO);
    std::string text(8192, '\0');
    text.resize(read_some(pipe.reader.get(), std::as_writable_bytes(std::span{text}), "pipe"));
    return text;
}

int declare_and_go_on(const Invocation& invocation) {
    std::string text;
    Words command;
    cli::Options options{invocation, "KEY COMMAND"};
    options.value("-w,--wait DURATION", text, cli::parse_text, "a value");
    options.required("KEY", text, cli::parse_text, "an operand");
    options.command(command);
    options.parse();
    throw Error("parse() came back");
}

} // namespace

TEST_CASE("without any settings, the defaults stay") {
    const auto parsed = parse({});
    CHECK_FALSE(parsed.all);
    CHECK(parsed.wait.empty());
    CHECK(parsed.key == "default");
    CHECK_FALSE(parsed.verbosity.verbose);
    CHECK_FALSE(parsed.verbosity.quiet);
}

TEST_CASE("letters can be bundled, the last with its value") {
    const auto parsed = parse({"-abvw", "5s"});
    CHECK(parsed.all);
    CHECK(parsed.brief);
    CHECK(parsed.verbosity.verbose);
    CHECK(parsed.wait == "5s");
    CHECK(parse({"-aw5s"}).wait == "5s");
}

TEST_CASE("a long option has its value after = or in the next word") {
    CHECK(parse({"--wait=5s"}).wait == "5s");
    CHECK(parse({"--wait", "5s"}).wait == "5s");
    CHECK(parse({"--wait=a=b"}).wait == "a=b");
    CHECK(parse({"--wait="}).wait.empty());
    CHECK(parse({"--wait=", "key"}).key == "key"); // a script's variable is empty
    CHECK(parse({"--wait", ""}).wait.empty());
    CHECK(parse({"-w", ""}).wait.empty());
}

TEST_CASE("a value may begin with a dash") {
    CHECK(parse({"--count=-3"}).count == -3);
    CHECK(parse({"--count", "-3"}).count == -3);
    CHECK(parse({"-w", "-x"}).wait == "-x");
    CHECK(parse({"--wait", "--all"}).wait == "--all");
    CHECK_FALSE(parse({"--wait", "--all"}).all);
    CHECK(parse({"--wait", "-"}).wait == "-");
}

TEST_CASE("the last of several wins, unless all are wanted") {
    CHECK(parse({"-w", "1", "--wait=2"}).wait == "2");
    CHECK(parse({"-f", "a", "--file=b", "-fc"}).files == Words{"a", "b", "c"});
    CHECK(parse({"-a", "-a"}).all);
}

TEST_CASE("operands come in their order, before and after options") {
    const auto parsed = parse({"one", "-a", "two"});
    CHECK(parsed.key == "one");
    CHECK(parsed.second == "two");
    CHECK(parsed.all);
    CHECK(parse({"-"}).key == "-");
    CHECK(parse({""}).key.empty());
    CHECK(error_of({"one", "two", "three"}) == "unexpected operand 'three'");
    CHECK(error_of({"one", "two", ""}) == "unexpected operand ''");
}

TEST_CASE("-- ends the options") {
    const auto parsed = parse({"-a", "--", "-b", "--wait"});
    CHECK(parsed.all);
    CHECK_FALSE(parsed.brief);
    CHECK(parsed.key == "-b");
    CHECK(parsed.second == "--wait");
    CHECK(parse({"--", "--"}).key == "--");
    CHECK(parse({"--"}).key == "default");
    CHECK(parse({"one", "--", "two"}).second == "two");
    CHECK(error_of({"--", "1", "2", "-x"}) == "unexpected operand '-x'");
}

TEST_CASE("a -- that no command follows is an error, as it comes of an empty variable") {
    CHECK(error_of({"key", "--"}, Takes::command) == "the command after -- is missing");
    CHECK(error_of({"--"}, Takes::command) == "the command after -- is missing");
    CHECK(parse({"key", "--", ""}, Takes::command).command == Words{""});
    CHECK_THROWS_AS((void)parse({"--help", "--"}, Takes::command), cli::Finished);
}

TEST_CASE("parsing stops at the command") {
    auto parsed = parse({"-a", "key", "make", "-b", "--wait=9", "-j4"}, Takes::command);
    CHECK(parsed.key == "key");
    CHECK(parsed.command == Words{"make", "-b", "--wait=9", "-j4"});
    CHECK(parsed.all);
    CHECK_FALSE(parsed.brief);
    CHECK(parsed.wait.empty());

    parsed = parse({"-a", "--", "make", "-b"}, Takes::command);
    CHECK(parsed.key == "default");
    CHECK(parsed.command == Words{"make", "-b"});

    parsed = parse({"key", "-a", "--", "--make", "--", "-b"}, Takes::command);
    CHECK(parsed.key == "key");
    CHECK(parsed.all);
    CHECK(parsed.command == Words{"--make", "--", "-b"});

    parsed = parse({"key", "sh", "-c", "echo", "--", "-a", "--help"}, Takes::command);
    CHECK(parsed.command == Words{"sh", "-c", "echo", "--", "-a", "--help"});

    CHECK(parse({"key"}, Takes::command).command.empty());
    CHECK(parse({"key", "make", ""}, Takes::command).command == Words{"make", ""});
    CHECK(parse({"--wait", "--", "key"}, Takes::command).wait == "--"); // as for getopt
    CHECK(parse({"-aw", "--", "key"}, Takes::command).key == "key");
    CHECK(parse({"key", "make", "--prefix=", "-w"}, Takes::command).command ==
          Words{"make", "--prefix=", "-w"});
}

TEST_CASE("an error names the wrong word") {
    CHECK(error_of({"--nope"}) == "unknown option --nope");
    CHECK(error_of({"--nope=1"}) == "unknown option --nope=1");
    CHECK(error_of({"-x"}) == "unknown option -x");
    CHECK(error_of({"-ax"}) == "unknown option -x");
    CHECK(error_of({"--al"}) ==
          "unknown option --al; did you mean --all?"); // no abbreviations: a new option breaks them
    CHECK(error_of({"-x", "key", "make"}, Takes::command) == "unknown option -x");
    CHECK(error_of({"key", "-x", "make"}, Takes::command) == "unknown option -x");
    CHECK(error_of({"--wait"}) == "option --wait needs a value");
    CHECK(error_of({"-w"}) == "option --wait needs a value");
    CHECK(error_of({"--all=yes"}) == "option --all takes no value");
    CHECK(error_of({"--all="}) == "option --all takes no value");
    CHECK(error_of({"--count", "9"}) == "--count '9': expected a number from -5 to 5");
    CHECK(error_of({"--count="}) == "--count '': expected a number from -5 to 5");
}

TEST_CASE("a missing operand is an error") {
    std::vector<char*> none;
    cli::Options options{{"test", "parse options", none}, "KEY"};
    std::string key;
    options.required("KEY", key, cli::parse_text, "an operand");
    CHECK_THROWS_WITH_AS((void)options.parse(), "KEY is missing", cli::UsageError);
}

TEST_CASE("a parser's reason follows the option and the value") {
    CHECK(error_of({"--count", "x", "--wait", "1"}) ==
          "--count 'x': expected a number from -5 to 5");
    // The error names the bad value, although a good one follows.
    CHECK(error_of({"--count", "x", "--count", "1"}) ==
          "--count 'x': expected a number from -5 to 5");
}

TEST_CASE("--help and --version win over errors in values and operands") {
    CHECK_THROWS_AS((void)parse({"--count", "x", "--help"}), cli::Finished);
    CHECK_THROWS_AS((void)parse({"-h", "--count=x"}), cli::Finished);
    CHECK_THROWS_AS((void)parse({"1", "2", "3", "-V"}), cli::Finished);
    CHECK_THROWS_AS((void)parse({"-vh"}), cli::Finished);
    // Options after the command belong to the command, and after "--" they are operands.
    CHECK(parse({"key", "make", "--help"}, Takes::command).command == Words{"make", "--help"});
    CHECK(parse({"--", "--help"}).key == "--help");
}

TEST_CASE("the help shows sections in the order of their first call, after the plain options") {
    std::string word{"--help"};
    std::array arguments{word.data()};
    bool flag = false;
    cli::Options options{{"test", "parse options", arguments}, ""};
    options.flag("-a", flag, "plain");
    options.section("Output");
    options.flag("-b", flag, "first in Output");
    options.section("Input");
    options.flag("-c", flag, "in Input");
    options.section("Output");
    options.flag("-d", flag, "second in Output");
    const auto help = printed_by([&] { CHECK_THROWS_AS((void)options.parse(), cli::Finished); });
    CHECK(help.starts_with("Usage: test [OPTION...]\nparse options\n"
                           "\nOptions:\n  -a                       plain\n"
                           "\nOutput:\n  -b                       first in Output\n"
                           "  -d                       second in Output\n"
                           "\nInput:\n  -c                       in Input\n"
                           "\nGeneral:\n  -v, --verbose "));
}

TEST_CASE("an applet's declarations can be had without running it") {
    static constexpr Applet applet{"declares", declare_and_go_on};
    const auto declared = cli::declarations_of({"test", "group", &applet});
    CHECK(declared.runs_command);
    CHECK(declared.operands == Words{"KEY"});
    REQUIRE(declared.options.size() == 6);
    CHECK(declared.options[0].letter == "w");
    CHECK(declared.options[0].word == "wait");
    CHECK(declared.options[0].value == "DURATION");
    CHECK(declared.options[5].word == "version");
}

namespace {

// Everything on the line, in the order in which it takes effect.
std::string order_of(Words words) {
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    std::string order;
    const auto note = [&order](std::string_view what) {
        return [&order, what](std::string_view value) {
            order.append(order.empty() ? "" : " ").append(what).append(value);
            return std::string{};
        };
    };
    constexpr cli::RefusedOption refused[] = {{"-P,--ftp-port", "FTP is not spoken"}};
    std::string into;
    bool flag = false;
    int number = 0;
    std::vector<std::string> operands;
    cli::Options options{{"test", "parse options", arguments}, "[WHAT...]"};
    options.value("-d,--data DATA", into, note("d:"), "a value");
    options.value("-b,--binary DATA", into, note("b:"), "another value");
    options.operands("WHAT", operands, note(""), "operands");
    options.flag("-s,--silent", flag, "a flag");
    options.negatable_flags();
    options.refuse(refused);
    options.value("-n,--number N", number, cli::number_between(1, 4), "a number");
    const std::map<std::string, Words, std::less<>> files{{"loop", {"-K", "loop"}},
                                                          {"flag", {"-s", "--silent=yes"}},
                                                          {"unknown", {"-s", "-sQ"}},
                                                          {"lacking", {"-s", "-d"}},
                                                          {"wrong", {"-s", "--number=5"}}};
    options.include(
        "-K,--config FILE",
        [&files](std::string_view value) {
            if (value == "bad") throw std::invalid_argument("bad:1: expected better");
            const auto found = files.find(value);
            const auto text = std::string{value};
            const auto given =
                found != files.end() ? found->second : Words{"-b", text, "from-" + text};
            std::vector<cli::PlacedWord> placed;
            for (const auto& word : given)
                placed.push_back({word, fmt::format("{}:{}", value, placed.size() + 1)});
            return placed;
        },
        "words from a file");
    (void)options.parse();
    return flag ? order + " silent" : order;
}

std::string order_error(const Words& words) {
    try {
        return order_of(words);
    } catch (const cli::UsageError& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("options and operands take effect in the order of the command line") {
    CHECK(order_of({"-d", "1", "-b", "2", "-d", "3"}) == "d:1 b:2 d:3");
    CHECK(order_of({"x", "-b1", "y", "-sd2", "z", "--", "-d"}) == "x b:1 y d:2 z -d silent");
    CHECK(order_of({"-ss", "x", "--data=", "y"}) == "x d: y silent");
}

TEST_CASE("a flag is turned off again by --no-WORD, and the last one wins") {
    CHECK(order_of({"-s", "x"}) == "x silent");
    CHECK(order_of({"-s", "--no-silent", "x"}) == "x");
    CHECK(order_of({"--no-silent", "--silent", "x"}) == "x silent");
    CHECK(order_error({"--no-data", "x"}) == "unknown option --no-data");
}

TEST_CASE("the words of a file take the place of the option that names it") {
    CHECK(order_of({"-d1", "-K", "f", "x"}) == "d:1 b:f from-f x");
    CHECK(order_of({"x", "-sKf", "-d", "1"}) == "x b:f from-f d:1 silent");
    CHECK(order_of({"-sK", "f", "--config=g", "--config", "h"}) ==
          "b:f from-f b:g from-g b:h from-h silent");
    CHECK(order_error({"-K"}).find("needs a value") != std::string::npos);
}

TEST_CASE("a mistake in a file is reported with its file and its line") {
    CHECK(order_error({"-K", "bad"}) == "bad:1: expected better");
    CHECK(order_error({"-K", "loop"}) == "loop:1: loop includes itself");
    CHECK(order_error({"-K", "flag", "x"}) == "flag:2: option --silent takes no value");
    CHECK(order_error({"-K", "unknown", "x"}) == "unknown:2: unknown option -Q");
    CHECK(order_error({"-K", "lacking", "x"}) == "lacking:2: option -d needs a value");
    CHECK(order_error({"-sb1", "-K", "wrong", "-n1"}).starts_with("wrong:2: --number '5': "));
    // The line's own mistakes have no place.
    CHECK(order_error({"-K", "f", "-Q"}) == "unknown option -Q");
    CHECK(order_error({"-K", "f", "-n5"}).starts_with("--number '5': "));
}

TEST_CASE("an option of another tool is refused by name and with a reason") {
    const auto* const refusal = " is not supported: FTP is not spoken";
    CHECK(order_error({"-P", "-", "x"}) == std::string{"option -P"} + refusal);
    CHECK(order_error({"--ftp-port=1"}) == std::string{"option --ftp-port"} + refusal);
    CHECK(order_error({"-sP"}) == std::string{"option -P"} + refusal);
    CHECK(order_error({"-Q"}) == "unknown option -Q");
}
