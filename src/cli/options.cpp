// The one file that includes CLI11.
//
// CLI11 includes <iostream>, and libstdc++ before GCC 13 plants in every file that does so a static
// object whose constructor sets up eight streams and their locales before main: a tenth of our
// start-up, for streams that we never use. The object is all that <iostream> has beyond <istream>,
// <ostream> and the names of the streams; so those are declared here, and the header's own guard
// keeps the rest out. The contract test checks that the program has no such initialiser.
#include <fstream>
#include <istream>
#include <ostream>
#ifdef __GLIBCXX__
#define _GLIBCXX_IOSTREAM 1 // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
namespace std {             // NOLINT(cert-dcl58-cpp)
extern istream cin;
extern ostream cout;
extern ostream cerr;
extern ostream clog;
} // namespace std
#endif
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/options.h"

#include "cli/output.h"
#include "core/trace.h"
#include "version.h"

#include <algorithm>
#include <stdexcept>

namespace ipcbox::cli {

namespace {

constexpr std::size_t help_width = 80;
// Where the explanations start: names that are longer get a line of their own.
constexpr std::size_t text_column = 27;

struct Declaration {
    enum class Kind { flag, value, operand } kind;
    OptionName name;
    std::function<void(std::string_view)> set;
    bool required = false;
    std::vector<std::string> given{}; // the values on this command line, in their order

    [[nodiscard]] bool takes_value() const { return kind == Kind::value; }
    // As a user would write it: "--wait", "-n" or "KEY".
    [[nodiscard]] std::string shown_name() const {
        if (kind == Kind::operand) return name.value;
        return name.word.empty() ? "-" + name.letter : "--" + name.word;
    }
};

struct Example {
    std::string_view command;
    std::string_view text;
};

// "-w,--wait DURATION" in its parts.
OptionName split_names(std::string_view names, std::string_view text) {
    OptionName result;
    const auto blank = names.find(' ');
    if (blank != std::string_view::npos) result.value = names.substr(blank + 1);
    auto left = names.substr(0, blank);
    while (!left.empty()) {
        const auto name = left.substr(0, left.find(','));
        if (name.starts_with("--"))
            result.word = name.substr(2);
        else
            result.letter = name.substr(1);
        left.remove_prefix(std::min(name.size() + 1, left.size()));
    }
    result.text = text;
    return result;
}

// The words of TEXT in lines that end before the help's last column; all but the first are
// indented.
std::string wrap(std::string_view text, std::size_t indent) {
    std::string result;
    std::size_t column = indent;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        if (column > indent && column + 1 + word.size() > help_width) {
            result.append(1, '\n').append(indent, ' ');
            column = indent;
        } else if (column > indent) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
    }
    return result;
}

// "  NAMES   TEXT" with the text in its column.
void print_row(const std::string& names, std::string_view text) {
    if (names.size() + 2 > text_column)
        print_line("{}\n{:{}}{}", names, "", text_column, wrap(text, text_column));
    else
        print_line("{:<{}}{}", names, text_column, wrap(text, text_column));
}

// While this points somewhere, parse() hands over the declarations and goes no further.
constinit std::vector<OptionName>* asked_for = nullptr;

} // namespace

struct Options::Declarations {
    std::string_view program;
    std::string_view summary;
    std::span<char* const> arguments;
    std::string_view usage;
    std::vector<Declaration> all;
    std::vector<std::string>* command = nullptr;
    std::vector<std::string_view> notes;
    std::vector<Example> examples;
    Verbosity verbosity;
    bool help = false;
    bool version = false;
    bool trace = false;

    void read();
    void apply();
    void print_help() const;
};

Options::Options(const Invocation& invocation, std::string_view usage)
    : declarations_(std::make_unique<Declarations>()) {
    declarations_->program = invocation.name;
    declarations_->summary = invocation.summary;
    declarations_->arguments = invocation.arguments;
    declarations_->usage = usage;
}

Options::~Options() = default;

void Options::flag(std::string_view names, bool& into, std::string_view text) {
    declarations_->all.push_back({Declaration::Kind::flag, split_names(names, text),
                                  [&into](std::string_view) { into = true; }});
}

void Options::add_value(std::string_view names, Setter set, std::string_view text) {
    declarations_->all.push_back(
        {Declaration::Kind::value, split_names(names, text), std::move(set)});
}

void Options::add_operand(std::string_view name, Setter set, std::string_view text,
                          Presence presence) {
    OptionName names;
    names.value = name;
    names.text = text;
    declarations_->all.push_back({Declaration::Kind::operand, std::move(names), std::move(set),
                                  presence == Presence::required});
}

void Options::command(std::vector<std::string>& into) {
    declarations_->command = &into;
}

void Options::json(bool& into) {
    flag("-J,--json", into, "print JSON, one object a line");
}

void Options::note(std::string_view text) {
    declarations_->notes.push_back(text);
}

void Options::example(std::string_view command, std::string_view text) {
    declarations_->examples.push_back({command, text});
}

Verbosity Options::parse() {
    auto& declared = *declarations_;
    flag("-v,--verbose", declared.verbosity.verbose, "tell more on standard error");
    flag("-q,--quiet", declared.verbosity.quiet, "tell only errors");
    flag("--trace", declared.trace, "print each system call on standard error");
    flag("-h,--help", declared.help, "print this help");
    flag("-V,--version", declared.version, "print the version");
    if (asked_for != nullptr) {
        for (const auto& declaration : declared.all)
            if (declaration.kind != Declaration::Kind::operand)
                asked_for->push_back(declaration.name);
        throw Finished{};
    }
    declared.read();
    declared.apply();
    return declared.verbosity;
}

// Lets CLI11 sort the arguments into `given`, and the command into `command`. Nothing is
// interpreted yet: --help has to work on a line that is wrong otherwise.
void Options::Declarations::read() {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    app.prefix_command(command != nullptr);
    for (auto& declaration : all) {
        const auto take = [&declaration](const CLI::results_t& results) {
            declaration.given = results;
            return true;
        };
        auto names = declaration.name.letter.empty() ? "" : "-" + declaration.name.letter;
        if (!declaration.name.word.empty())
            names.append(names.empty() ? "--" : ",--").append(declaration.name.word);
        if (declaration.kind == Declaration::Kind::flag)
            app.add_flag_callback(names, [&declaration] { declaration.given.emplace_back(); });
        else
            app.add_option(declaration.takes_value() ? names : declaration.name.value, take)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                ->allow_extra_args(false);
    }
    std::vector<std::string> words{arguments.begin(), arguments.end()};
    std::vector<std::string> behind;
    const auto mark = command != nullptr ? std::ranges::find(words, "--") : words.end();
    if (mark != words.end()) {
        behind.assign(mark, words.end());
        words.erase(mark, words.end());
    }
    try {
        std::ranges::reverse(words); // CLI11 takes them from the back
        app.parse(std::move(words));
    } catch (const CLI::ArgumentMismatch& mismatch) {
        const std::string_view message = mismatch.what();
        throw UsageError(
            fmt::format("option {} needs a value", message.substr(0, message.find(':'))));
    } catch (const CLI::ParseError& error) {
        throw UsageError(error.what());
    }
    const auto remaining = app.remaining();
    if (!remaining.empty() && remaining.front().starts_with('-') && remaining.front().size() > 1)
        throw UsageError(fmt::format("unknown option {}", remaining.front()));
    if (command == nullptr) {
        if (!remaining.empty())
            throw UsageError(fmt::format("unexpected operand '{}'", remaining.front()));
        return;
    }
    *command = remaining;
    // A "--" behind the start of the command is the command's own.
    const auto own = behind.begin() + (command->empty() && !behind.empty() ? 1 : 0);
    command->insert(command->end(), own, behind.end());
}

// Interprets what was given.
void Options::Declarations::apply() {
    const auto is_given = [this](std::string_view word) {
        return std::ranges::any_of(all, [word](const Declaration& declaration) {
            return declaration.name.word == word && !declaration.given.empty();
        });
    };
    if (is_given("help")) {
        print_help();
        throw Finished{};
    }
    if (is_given("version")) {
        print(version_line);
        throw Finished{};
    }
    for (const auto& declaration : all) {
        for (const auto& value : declaration.given)
            try {
                declaration.set(value);
            } catch (const std::invalid_argument& wrong) {
                throw UsageError(
                    fmt::format("{} '{}': {}", declaration.shown_name(), value, wrong.what()));
            }
        if (declaration.required && declaration.given.empty())
            throw UsageError(fmt::format("{} is missing", declaration.shown_name()));
    }
    if (trace) sys::start_tracing();
}

void Options::Declarations::print_help() const {
    print_line("Usage: {} [OPTION...]{}{}", program, usage.empty() ? "" : " ", usage);
    print_line("{}", summary);
    const auto print_kind = [this](std::string_view title, bool operands) {
        bool first = true;
        for (const auto& declaration : all) {
            const auto& name = declaration.name;
            if ((declaration.kind == Declaration::Kind::operand) != operands) continue;
            if (first) print_line("\n{}:", title);
            first = false;
            if (operands) {
                print_row(fmt::format("  {}", name.value), name.text);
                continue;
            }
            const auto letter = name.letter.empty() ? "   " : fmt::format("-{}", name.letter);
            const auto comma = name.letter.empty() ? " " : name.word.empty() ? "" : ", ";
            const auto word = name.word.empty() ? "" : fmt::format("--{}", name.word);
            const auto value = name.value.empty() ? "" : fmt::format(" {}", name.value);
            print_row(fmt::format("  {}{}{}{}", letter, comma, word, value), name.text);
        }
    };
    print_kind("Operands", true);
    print_kind("Options", false);
    for (const auto& note : notes)
        print_line("\n{}", wrap(note, 0));
    if (!examples.empty()) print_line("\nExamples:");
    for (const auto& example : examples)
        print_line("  {}\n      {}", example.command, wrap(example.text, 6));
}

std::vector<OptionName> declared_options(const AppletRow& applet) {
    std::vector<OptionName> options;
    asked_for = &options;
    try {
        (void)applet.applet->run({applet.name, applet.applet->summary, {}});
    } catch (const Finished&) { // NOLINT(bugprone-empty-catch): that is how parse() ends
    }
    asked_for = nullptr;
    return options;
}

} // namespace ipcbox::cli
