#include "cli/options.h"

#include "cli/cli11.h"
#include "cli/output.h"
#include "core/trace.h"
#include "core/words.h"
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
    bool repeated = false;
    std::string_view section{};       // of the help; empty for an operand and for a plain option
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
    auto left = take_until(names, ' ');
    result.value = names;
    while (!left.empty()) {
        const auto name = take_until(left, ',');
        if (name.starts_with("--"))
            result.word = name.substr(2);
        else
            result.letter = name.substr(1);
    }
    result.text = text;
    return result;
}

// Whether one of WORDS, which are options and their values, can mean the option of this name.
bool is_mentioned(const OptionName& name, std::span<const std::string> words) {
    return std::ranges::any_of(words, [&name](std::string_view word) {
        if (word.starts_with("--")) return !name.word.empty() && word.substr(2) == name.word;
        return word.starts_with('-') && !name.letter.empty() &&
               word.find(name.letter) != std::string_view::npos;
    });
}

// The words of TEXT in lines that end before the help's last column; all but the first are
// indented.
std::string wrap(std::string_view text, std::size_t indent) {
    std::string result;
    std::size_t column = indent;
    while (!text.empty()) {
        const auto word = take_until(text, ' ');
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

// "  NAMES   TEXT" with the text in its column, in one line or more.
std::string help_row(const std::string& names, std::string_view text) {
    if (names.size() + 2 > text_column)
        return fmt::format("{}\n{:{}}{}\n", names, "", text_column, wrap(text, text_column));
    return fmt::format("{:<{}}{}\n", names, text_column, wrap(text, text_column));
}

std::string help_row(const Declaration& declaration) {
    const auto& [letter, word, value, text] = declaration.name;
    if (declaration.kind == Declaration::Kind::operand)
        return help_row(fmt::format("  {}", value), text);
    const auto dashed = letter.empty() ? "   " : "-" + letter;
    const auto comma = letter.empty() ? " " : word.empty() ? "" : ", ";
    return help_row(fmt::format("  {}{}{}{}{}{}", dashed, comma, word.empty() ? "" : "--", word,
                                value.empty() ? "" : " ", value),
                    text);
}

// While this points somewhere, parse() hands over the declarations and goes no further.
constinit Declared* asked_for = nullptr;

} // namespace

struct Options::Declarations {
    std::string_view program;
    std::string_view summary;
    std::span<char* const> arguments;
    std::string_view usage;
    std::vector<Declaration> all;
    std::vector<std::string_view> sections; // the titles, in the order of the help
    std::string_view section;               // the one that options are being declared for
    std::vector<std::string>* command = nullptr;
    std::vector<std::string_view> notes;
    std::vector<Example> examples;
    std::optional<std::string_view> unexpected; // the first operand that is one too many
    bool lacks_command = false;                 // "--" stands last, before no command
    Verbosity verbosity;
    bool help = false;
    bool version = false;
    bool trace = false;

    [[nodiscard]] const Declaration* find(std::string_view name) const;
    [[nodiscard]] bool is_negative_number(std::string_view word) const;
    [[nodiscard]] bool wants_next_word(std::string_view word) const;
    [[nodiscard]] std::vector<std::string> separate();
    void read();
    void apply();
    void print_operands() const;
    // Those of section OF, which is empty for the options that have none.
    void print_options(std::string_view title, std::string_view of) const;
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

void Options::section(std::string_view title) {
    auto& sections = declarations_->sections;
    if (std::ranges::find(sections, title) == sections.end()) sections.push_back(title);
    declarations_->section = title;
}

void Options::flag(std::string_view names, bool& into, std::string_view text) {
    declarations_->all.push_back({.kind = Declaration::Kind::flag,
                                  .name = split_names(names, text),
                                  .set = [&into](std::string_view) { into = true; },
                                  .section = declarations_->section});
}

void Options::add_value(std::string_view names, Setter set, std::string_view text) {
    declarations_->all.push_back({.kind = Declaration::Kind::value,
                                  .name = split_names(names, text),
                                  .set = std::move(set),
                                  .section = declarations_->section});
}

void Options::add_operand(std::string_view name, Setter set, std::string_view text,
                          Presence presence) {
    OptionName names;
    names.value = name;
    names.text = text;
    declarations_->all.push_back({.kind = Declaration::Kind::operand,
                                  .name = std::move(names),
                                  .set = std::move(set),
                                  .required = presence == Presence::required,
                                  .repeated = presence == Presence::repeated});
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
    if (!declared.sections.empty()) section("General");
    flag("-v,--verbose", declared.verbosity.verbose, "tell more on standard error");
    flag("-q,--quiet", declared.verbosity.quiet, "tell only errors");
    flag("--trace", declared.trace, "print each system call on standard error");
    flag("-h,--help", declared.help, "print this help");
    flag("-V,--version", declared.version, "print the version");
    if (asked_for != nullptr) {
        for (const auto& declaration : declared.all)
            if (declaration.kind == Declaration::Kind::operand) {
                asked_for->operands.push_back(declaration.name.value);
                asked_for->repeats_operand = declaration.repeated;
            } else {
                asked_for->options.push_back(declaration.name);
            }
        asked_for->runs_command = declared.command != nullptr;
        throw Finished{};
    }
    declared.read();
    declared.apply();
    return declared.verbosity;
}

// The option of this name, "-w" or "--wait".
const Declaration* Options::Declarations::find(std::string_view name) const {
    const auto found = std::ranges::find_if(all, [name](const Declaration& declaration) {
        const auto& [letter, word, value, text] = declaration.name;
        return name.starts_with("--") ? !word.empty() && name.substr(2) == word
                                      : !letter.empty() && name.substr(1) == letter;
    });
    return found != all.end() ? &*found : nullptr;
}

// "-1", where no option has that name: an operand, whose parser can say what is wrong with it.
bool Options::Declarations::is_negative_number(std::string_view word) const {
    return word.size() > 1 && word[0] == '-' && word[1] >= '0' && word[1] <= '9' &&
           find(word.substr(0, 2)) == nullptr;
}

// Whether the value of the option that WORD is, or ends with ("-abw"), is the word behind it.
bool Options::Declarations::wants_next_word(std::string_view word) const {
    if (word.starts_with("--")) {
        const auto* option = find(word);
        return option != nullptr && option->takes_value();
    }
    for (std::size_t at = 1; at < word.size(); ++at)
        if (const auto* option = find(std::string{'-', word[at]});
            option != nullptr && option->takes_value())
            return at + 1 == word.size();
    return false;
}

// Hands out the operands and the command, and returns the options with their values, for CLI11. It
// could tell them apart itself, but it takes a second "--" for an option, an empty "--name=" for a
// missing value and then the next word for it, and "--flag=no" for nothing at all.
std::vector<std::string> Options::Declarations::separate() {
    std::vector<std::string> options;
    std::vector<std::string_view> operands;
    const bool endless = std::ranges::any_of(all, &Declaration::repeated);
    const auto room = endless ? arguments.size()
                              : static_cast<std::size_t>(std::ranges::count(
                                    all, Declaration::Kind::operand, &Declaration::kind));
    const auto required =
        static_cast<std::size_t>(std::ranges::count(all, true, &Declaration::required));
    auto at = arguments.begin();
    for (; at != arguments.end(); ++at) {
        const std::string_view word = *at;
        if (word == "--") {
            ++at;
            // "-- 10 make", as getopt(3) has it: operands that have to be there precede the
            // command.
            while (command != nullptr && operands.size() < required && at != arguments.end())
                operands.emplace_back(*at++);
            // "-- $COMMAND", with nothing in the variable: what runs without a command is not
            // meant.
            lacks_command = command != nullptr && at == arguments.end();
            break;
        }
        if (!word.starts_with('-') || word == "-" || is_negative_number(word)) {
            if (command != nullptr && operands.size() == room) break;
            operands.push_back(word);
            continue;
        }
        const auto name = word.substr(0, word.starts_with("--") ? word.find('=') : word.size());
        const auto* option = name.size() < word.size() ? find(name) : nullptr;
        if (option != nullptr && !option->takes_value())
            throw UsageError(fmt::format("option {} takes no value", name), help_row(*option));
        options.emplace_back(word);
        if (option != nullptr) {
            options.back() = name;
            options.emplace_back(word.substr(name.size() + 1));
        } else if (wants_next_word(word) && at + 1 != arguments.end()) {
            options.emplace_back(*++at);
        }
    }
    if (command != nullptr)
        command->assign(at, arguments.end());
    else
        operands.insert(operands.end(), at, arguments.end());
    auto next = operands.begin();
    for (auto& declaration : all) {
        if (declaration.kind != Declaration::Kind::operand) continue;
        const auto most = declaration.repeated ? operands.end() - next : 1;
        for (auto left = most; left > 0 && next != operands.end(); --left)
            declaration.given.emplace_back(*next++);
    }
    if (next != operands.end()) unexpected = *next;
    return options;
}

// Lets CLI11 sort the options into `given`. Nothing is interpreted yet: --help has to work on a
// line that is wrong otherwise.
//
// It compares each option that it is told of with all before, which for sixty of them takes as long
// as the whole rest of our start: so it is told of those only that are on the line.
void Options::Declarations::read() {
    auto words = separate();
    // A line without options, as `sem-take KEY -- COMMAND`, need not touch CLI11's pages at all.
    if (words.empty()) return;
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    for (auto& declaration : all) {
        if (declaration.kind == Declaration::Kind::operand) continue;
        if (!is_mentioned(declaration.name, words)) continue;
        auto names = declaration.name.letter.empty() ? "" : "-" + declaration.name.letter;
        if (!declaration.name.word.empty())
            names.append(names.empty() ? "--" : ",--").append(declaration.name.word);
        if (!declaration.takes_value()) {
            app.add_flag_callback(names, [&declaration] { declaration.given.emplace_back(); });
            continue;
        }
        app.add_option(names,
                       [&declaration](const CLI::results_t& results) {
                           declaration.given = results;
                           return true;
                       })
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
            ->allow_extra_args(false);
    }
    try {
        std::ranges::reverse(words); // CLI11 takes them from the back
        app.parse(std::move(words));
    } catch (const CLI::ArgumentMismatch& mismatch) {
        const std::string_view message = mismatch.what();
        const auto name = message.substr(0, message.find(':'));
        const auto* option = find(name);
        throw UsageError(fmt::format("option {} needs a value", name),
                         option != nullptr ? help_row(*option) : std::string{});
    } catch (const CLI::ParseError& error) {
        throw UsageError(error.what());
    }
    if (const auto unknown = app.remaining(); !unknown.empty())
        throw UsageError(fmt::format("unknown option {}", unknown.front()));
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
    if (unexpected) throw UsageError(fmt::format("unexpected operand '{}'", *unexpected));
    if (lacks_command) throw UsageError("there is no command behind --");
    for (const auto& declaration : all)
        for (const auto& value : declaration.given)
            try {
                declaration.set(value);
            } catch (const std::invalid_argument& wrong) {
                throw UsageError(
                    fmt::format("{} '{}': {}", declaration.shown_name(), value, wrong.what()),
                    help_row(declaration));
            } catch (Error& error) {
                // The line makes sense; what it names does not exist, or cannot be used.
                if (command != nullptr && !command->empty() &&
                    error.status() == exit_status::failed)
                    error.set_status(exit_status::before_command);
                throw;
            }
    for (const auto& declaration : all)
        if (declaration.required && declaration.given.empty())
            throw UsageError(fmt::format("{} is missing", declaration.shown_name()),
                             help_row(declaration));
    if (trace) sys::start_tracing();
}

void Options::Declarations::print_operands() const {
    bool first = true;
    for (const auto& declaration : all) {
        if (declaration.kind != Declaration::Kind::operand) continue;
        if (first) print_line("\nOperands:");
        first = false;
        print(help_row(declaration));
    }
}

void Options::Declarations::print_options(std::string_view title, std::string_view of) const {
    bool first = true;
    for (const auto& declaration : all) {
        if (declaration.kind == Declaration::Kind::operand || declaration.section != of) continue;
        if (first) print_line("\n{}:", title);
        first = false;
        print(help_row(declaration));
    }
}

void Options::Declarations::print_help() const {
    print_line("Usage: {} [OPTION...]{}{}", program, usage.empty() ? "" : " ", usage);
    print_line("{}", summary);
    print_operands();
    print_options("Options", {});
    for (const auto title : sections)
        print_options(title, title);
    for (const auto& note : notes)
        print_line("\n{}", wrap(note, 0));
    if (!examples.empty()) print_line("\nExamples:");
    for (const auto& example : examples)
        print_line("  {}\n      {}", example.command, wrap(example.text, 6));
}

Declared declarations_of(const AppletRow& applet) {
    Declared declared;
    asked_for = &declared;
    try {
        (void)applet.applet->run({applet.name, applet.applet->summary, {}});
    } catch (const Finished&) { // NOLINT(bugprone-empty-catch): that is how parse() ends
    }
    asked_for = nullptr;
    return declared;
}

} // namespace ipcbox::cli
