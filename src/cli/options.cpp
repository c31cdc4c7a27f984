#include "cli/options.h"

#include "cli/cli11.h"
#include "cli/output.h"
#include "core/trace.h"
#include "core/words.h"
#include "version.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <stdexcept>

namespace ipcbox::cli {

namespace {

constexpr std::size_t help_width = 80;
// The column where the explanations start. Longer names get a line of their own.
constexpr std::size_t text_column = 27;

struct Declaration {
    enum class Kind { flag, value, operand } kind;
    OptionName name;
    std::function<void(std::string_view)> set;
    bool required = false;
    bool repeated = false;
    std::string_view section{};    // of the help; empty for an operand and for a plain option
    Options::WordReader include{}; // of an option whose value is replaced by other words
    bool given = false;            // on this command line

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

// Splits "-w,--wait DURATION" into its parts.
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

constexpr std::string_view negation = "--no-";

// Whether one of WORDS, which are options and their values, can mean the option of this name.
bool is_mentioned(const OptionName& name, std::span<const std::string> words) {
    return std::ranges::any_of(words, [&name](std::string_view word) {
        if (word.starts_with(negation) && word.substr(negation.size()) == name.word) return true;
        if (word.starts_with("--")) return !name.word.empty() && word.substr(2) == name.word;
        return word.starts_with('-') && !name.letter.empty() &&
               word.find(name.letter) != std::string_view::npos;
    });
}

// Breaks TEXT into lines that end before the help's last column. All lines except the first are
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

// While this is not null, parse() stores the declarations there and does not parse.
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
    std::optional<std::string> unexpected; // the first operand beyond those declared
    bool lacks_command = false;            // "--" stands last, before no command
    std::span<const RefusedOption> refused;
    bool negatable = false;
    std::deque<std::string> included; // words that came from files
    struct Given {
        Declaration* declaration;
        std::string value;   // of a flag: empty, or "no" when it is turned off
        std::size_t options; // of an operand: the number of options before it
    };
    std::vector<Given> operands; // in their order
    std::vector<Given> line;     // all of the command line, in its order
    Verbosity verbosity;
    bool help = false;
    bool version = false;
    bool trace = false;

    [[nodiscard]] const Declaration* find(std::string_view name) const;
    [[nodiscard]] bool is_negative_number(std::string_view word) const;
    [[nodiscard]] std::size_t value_letter(std::string_view word) const;
    [[nodiscard]] std::size_t count_options(std::string_view word) const;
    [[nodiscard]] const Declaration* option_with_value(std::string_view word) const;
    [[nodiscard]] bool wants_next_word(std::string_view word) const;
    void include_words(std::vector<std::string>& options, std::size_t at,
                       std::deque<std::string_view>& words);
    [[nodiscard]] std::vector<std::string> separate();
    void distribute(std::span<const Given> found);
    void read();
    void put_in_order(const CLI::App& app, const std::map<const CLI::Option*, Given>& known);
    [[noreturn]] void refuse_unknown(std::string_view word) const;
    void apply();
    void print_operands() const;
    // Prints the options of section OF, which is empty for options without a section.
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
                                  .set = [&into](std::string_view no) { into = no.empty(); },
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

void Options::negatable_flags() {
    declarations_->negatable = true;
}

void Options::refuse(std::span<const RefusedOption> table) {
    declarations_->refused = table;
}

void Options::include(std::string_view names, WordReader read, std::string_view text) {
    add_value(names, {}, text);
    declarations_->all.back().include = std::move(read);
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

// Whether WORD is a number such as "-1", and not an option. It is then an operand, and its parser
// can report what is wrong.
bool Options::Declarations::is_negative_number(std::string_view word) const {
    return word.size() > 1 && word[0] == '-' && word[1] >= '0' && word[1] <= '9' &&
           find(word.substr(0, 2)) == nullptr;
}

// The position of the letter in "-abwVALUE" whose option takes a value; the size of WORD when there
// is none.
std::size_t Options::Declarations::value_letter(std::string_view word) const {
    for (std::size_t at = 1; at < word.size(); ++at)
        if (const auto* option = find(std::string{'-', word[at]});
            option != nullptr && option->takes_value())
            return at;
    return word.size();
}

// The option in WORD, "--wait" or "-abw", that takes a value; null without one.
const Declaration* Options::Declarations::option_with_value(std::string_view word) const {
    if (!word.starts_with("--")) {
        const auto at = value_letter(word);
        return at == word.size() ? nullptr : find(std::string{'-', word[at]});
    }
    const auto* option = find(word);
    return option != nullptr && option->takes_value() ? option : nullptr;
}

// The number of options in WORD.
std::size_t Options::Declarations::count_options(std::string_view word) const {
    if (word.starts_with("--")) return 1;
    return std::min(value_letter(word), word.size() - 1);
}

// Whether WORD is an option, or ends with one ("-abw"), whose value is the next word.
bool Options::Declarations::wants_next_word(std::string_view word) const {
    return option_with_value(word) != nullptr &&
           (word.starts_with("--") || value_letter(word) + 1 == word.size());
}

// The last of OPTIONS, which begins at AT, may stand for the words of a file. Those words then
// replace it and come in front of WORDS.
void Options::Declarations::include_words(std::vector<std::string>& options, std::size_t at,
                                          std::deque<std::string_view>& words) {
    const bool is_alone = at + 1 == options.size();
    auto& word = options[at];
    const auto* option = option_with_value(word);
    if (option == nullptr || !option->include || (is_alone && wants_next_word(word))) return;
    const auto letter = word.starts_with("--") ? 0 : value_letter(word);
    const auto value = is_alone ? word.substr(letter + 1) : options.back();
    constexpr std::size_t max_words = 100'000; // a file may include itself
    try {
        const auto first = included.size();
        for (auto& one : option->include(value))
            included.push_back(std::move(one));
        words.insert(words.begin(), included.begin() + static_cast<std::ptrdiff_t>(first),
                     included.end());
        if (included.size() > max_words) throw std::invalid_argument("includes itself");
    } catch (const std::invalid_argument& wrong) {
        throw UsageError(fmt::format("{} '{}': {}", option->shown_name(), value, wrong.what()));
    }
    if (!is_alone) options.pop_back();
    if (letter > 1)
        options.back().resize(letter);
    else
        options.pop_back();
}

// Distributes the operands and the command, and returns the options with their values for CLI11.
// CLI11 could separate them itself, but makes mistakes: it takes a second "--" for an option, it
// takes the next word as the value of an empty "--name=", and it ignores "--flag=no".
std::vector<std::string> Options::Declarations::separate() {
    std::vector<std::string> options;
    std::vector<Given> found;
    std::size_t count = 0;
    const bool endless = std::ranges::any_of(all, &Declaration::repeated);
    const auto room = endless ? std::numeric_limits<std::size_t>::max()
                              : static_cast<std::size_t>(std::ranges::count(
                                    all, Declaration::Kind::operand, &Declaration::kind));
    const auto required =
        static_cast<std::size_t>(std::ranges::count(all, true, &Declaration::required));
    std::deque<std::string_view> words(arguments.begin(), arguments.end());
    while (!words.empty()) {
        const auto word = words.front();
        const bool is_operand = !word.starts_with('-') || word == "-" || is_negative_number(word);
        if (is_operand && command != nullptr && found.size() == room) break;
        words.pop_front();
        if (word == "--") {
            // "-- 10 make", as with getopt(3): required operands precede the command.
            while (command != nullptr && found.size() < required && !words.empty()) {
                found.push_back({nullptr, std::string{words.front()}, count});
                words.pop_front();
            }
            // "-- $COMMAND" with an empty variable: the user wanted a command, so do not run
            // without one.
            lacks_command = command != nullptr && words.empty();
            break;
        }
        if (is_operand) {
            found.push_back({nullptr, std::string{word}, count});
            continue;
        }
        const auto name = word.substr(0, word.starts_with("--") ? word.find('=') : word.size());
        const auto* option = name.size() < word.size() ? find(name) : nullptr;
        if (option != nullptr && !option->takes_value())
            throw UsageError(fmt::format("option {} takes no value", name), help_row(*option));
        options.emplace_back(word);
        const auto position = options.size() - 1;
        if (option != nullptr) {
            options.back() = name;
            options.emplace_back(word.substr(name.size() + 1));
        } else if (wants_next_word(word) && !words.empty()) {
            options.emplace_back(words.front());
            words.pop_front();
        }
        include_words(options, position, words);
        if (options.size() > position) count += count_options(options[position]);
    }
    for (const auto word : words) {
        if (command != nullptr)
            command->emplace_back(word);
        else
            found.push_back({nullptr, std::string{word}, count});
    }
    distribute(found);
    return options;
}

// Distributes the operands that were found to those that were declared.
void Options::Declarations::distribute(std::span<const Given> found) {
    for (auto& declaration : all) {
        if (declaration.kind != Declaration::Kind::operand) continue;
        const auto count =
            std::min<std::size_t>(found.size(), declaration.repeated ? found.size() : 1);
        for (const auto& one : found.first(count))
            operands.push_back({&declaration, one.value, one.options});
        declaration.given = count > 0;
        found = found.subspan(count);
    }
    if (!found.empty()) unexpected = found.front().value;
}

// Lets CLI11 parse the options. It interprets no value yet, because --help must work on a line with
// other mistakes.
//
// CLI11 compares each option that we add with all earlier ones. With sixty options that takes as
// long as the rest of our start, so we add only the options on the line.
void Options::Declarations::read() {
    auto words = separate();
    // A line without options, as `sem-take KEY -- COMMAND`, need not touch CLI11's pages at all.
    if (words.empty()) {
        line = operands;
        return;
    }
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::map<const CLI::Option*, Given> known;
    for (auto& declaration : all) {
        const auto& [letter, word, value, text] = declaration.name;
        if (declaration.kind == Declaration::Kind::operand) continue;
        if (!is_mentioned(declaration.name, words)) continue;
        auto names = letter.empty() ? "" : "-" + letter;
        if (!word.empty()) names.append(names.empty() ? "--" : ",--").append(word);
        if (!declaration.takes_value()) {
            known[app.add_flag(names)] = {&declaration, "", 0};
            const auto no = std::string{negation} + word;
            if (negatable && std::ranges::find(words, no) != words.end() && find(no) == nullptr)
                known[app.add_flag(no)] = {&declaration, "no", 0};
            continue;
        }
        auto* option = app.add_option(names, [](const CLI::results_t&) { return true; })
                           ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                           ->allow_extra_args(false);
        known[option] = {&declaration, "", 0};
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
    if (const auto unknown = app.remaining(); !unknown.empty()) refuse_unknown(unknown.front());
    put_in_order(app, known);
}

// Fills `line`.
void Options::Declarations::put_in_order(const CLI::App& app,
                                         const std::map<const CLI::Option*, Given>& known) {
    std::map<const CLI::Option*, std::size_t> seen;
    auto operand = operands.begin();
    const auto add_operands = [&](std::size_t options) {
        for (; operand != operands.end() && operand->options <= options; ++operand)
            line.push_back(*operand);
    };
    std::size_t count = 0;
    for (const auto* option : app.parse_order()) {
        add_operands(count++);
        auto given = known.at(option);
        if (given.declaration->takes_value()) given.value = option->results().at(seen[option]++);
        given.declaration->given = true;
        line.push_back(std::move(given));
    }
    add_operands(std::numeric_limits<std::size_t>::max());
}

void Options::Declarations::refuse_unknown(std::string_view word) const {
    const auto name = word.substr(0, word.starts_with("--") ? word.find('=') : 2);
    for (const auto& [names, reason] : refused) {
        const auto refused_name = split_names(names, reason);
        if (name == (name.starts_with("--") ? "--" + refused_name.word : "-" + refused_name.letter))
            throw UsageError(fmt::format("option {} is not supported: {}", name, reason));
    }
    throw UsageError(fmt::format("unknown option {}", word));
}

// Interprets the values.
void Options::Declarations::apply() {
    const auto is_given = [this](std::string_view word) {
        return std::ranges::any_of(all, [word](const Declaration& declaration) {
            return declaration.name.word == word && declaration.given;
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
    for (const auto& given : line)
        try {
            given.declaration->set(given.value);
        } catch (const std::invalid_argument& wrong) {
            throw UsageError(fmt::format("{} '{}': {}", given.declaration->shown_name(),
                                         given.value, wrong.what()),
                             help_row(*given.declaration));
        } catch (Error& error) {
            // The line is correct, but something that it names does not exist or cannot be used.
            if (command != nullptr && !command->empty() && error.status() == exit_status::failed)
                error.set_status(exit_status::before_command);
            throw;
        }
    for (const auto& declaration : all)
        if (declaration.required && !declaration.given)
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
