// The command line of an applet. One declaration serves for parsing (by CLI11), for --help and for
// --completion.
//
//     cli::Options options{invocation, "[KEY] [-- COMMAND [ARGUMENT...]]"};
//     options.flag("-n,--nonblock", config.nonblock, "fail at once when none is free");
//     options.value("-w,--wait DURATION", config.wait, parse_duration, "give up after DURATION");
//     options.operand("KEY", config.key, sysv::Key::parse, "which set (default 1234)");
//     options.command(config.command, "what to run");
//     options.example("sem-take -j 4 @build -- make", "at most four at once");
//     options.parse();
//
// Every applet has -h, -V, -v, -q and --trace without declaring them.
#pragma once

#include "applet.h"
#include "cli/declarations.h"
#include "cli/usage_error.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::cli {

struct CommandLine;

// Thrown after --help and --version, when there is nothing more to do.
struct Finished {};

// Every applet has these.
struct Verbosity {
    bool verbose = false; // tell more
    bool quiet = false;   // print errors only
};

class Options {
  public:
    // USAGE follows "[OPTION...]" in the first line of the help.
    Options(const Invocation& invocation, std::string_view usage);
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    // The help shows the options that are declared from here on under TITLE ("Output"), up to the
    // next section. Sections appear in the order of their first call, after the options that were
    // declared before any of them; those stand under "Options". An applet with sections has -h, -V,
    // -v, -q and --trace in a last one, "General". Its manual page has the same titles as .Ss.
    void section(std::string_view title);

    // NAMES is "-n,--nonblock": a letter, a word or both.
    void flag(std::string_view names, bool& into, std::string_view text);

    // NAMES is "-w,--wait DURATION"; the help calls the value by the last word. INTO has the type
    // that PARSER returns, or is an optional of it. The last of several wins.
    template <class Value, class Parser>
    void value(std::string_view names, Value& into, Parser parser, std::string_view text) {
        add_value(names, setter(into, std::move(parser)), text);
    }
    // The same, for an option that can be given more than once: INTO is a vector.
    template <class Value, class Parser>
    void values(std::string_view names, std::vector<Value>& into, Parser parser,
                std::string_view text) {
        add_value(names, appender(into, std::move(parser)), text);
    }

    // An optional operand; the first declared takes the first given.
    template <class Value, class Parser>
    void operand(std::string_view name, Value& into, Parser parser, std::string_view text) {
        add_operand(name, setter(into, std::move(parser)), text, Presence::optional);
    }
    // An operand that must be given.
    template <class Value, class Parser>
    void required(std::string_view name, Value& into, Parser parser, std::string_view text) {
        add_operand(name, setter(into, std::move(parser)), text, Presence::required);
    }

    // Any number of operands; a command then begins only after "--". INTO is a vector.
    template <class Value, class Parser>
    void operands(std::string_view name, std::vector<Value>& into, Parser parser,
                  std::string_view text) {
        add_operand(name, appender(into, std::move(parser)), text, Presence::repeated);
    }

    // The words after the operands, or after "--", are a command: parsing stops there. INTO stays
    // empty when there is none; a "--" with nothing after it is a usage error. front/run_command.h
    // runs the command.
    void command(std::vector<std::string>& into);

    // -J,--json.
    void json(bool& into);

    // Flags that were declared with a word can be turned off again by --no-WORD, as in curl.
    void negatable_flags();
    // If one of these options is on the command line, that is a UsageError with its reason. TABLE
    // has to live until parse().
    void refuse(std::span<const RefusedOption> table);
    // NAMES is "-K,--config FILE". The words that READ makes of its value take the option's place
    // on the command line. READ may throw std::invalid_argument.
    void include(std::string_view names, WordReader read, std::string_view text);

    // For another spelling of an option, such as -9 of kill(1): SPELLING gets each word that is no
    // value of an option and no part of a command, up to "--". It returns the word in the spelling
    // that is declared, "-s9", or any other word unchanged.
    void respell(Spelling spelling);

    // A paragraph and an example for the help. Like all texts here, they must live until parse().
    void note(std::string_view text);
    void example(std::string_view command, std::string_view text);

    // Fills the declared variables, in the order of the command line. Throws UsageError, or
    // Finished after --help and --version.
    Verbosity parse();

  private:
    enum class Presence { optional, required, repeated };

    template <class Value, class Parser> static Setter setter(Value& into, Parser parser) {
        return [&into, parser](std::string_view text) { into = parser(text); };
    }
    template <class Value, class Parser>
    static Setter appender(std::vector<Value>& into, Parser parser) {
        return [&into, parser](std::string_view text) { into.push_back(parser(text)); };
    }

    // Sets the variables from their values.
    void interpret(const CommandLine& line) const;
    void add_value(std::string_view names, Setter set, std::string_view text);
    void add_operand(std::string_view name, Setter set, std::string_view text, Presence presence);

    Declarations declared_;
    std::span<char* const> arguments_;
    Verbosity verbosity_;
    bool help_ = false;
    bool version_ = false;
    bool trace_ = false;
};

// The declarations of an applet, for completion.
struct Declared {
    std::vector<OptionName> options;
    std::vector<std::string> operands; // "KEY"
    bool repeats_operand = false;      // the last of them
    bool runs_command = false;
};

// Runs the applet up to its parse() and no further.
[[nodiscard]] Declared declarations_of(const AppletRow& applet);

} // namespace ipcbox::cli
