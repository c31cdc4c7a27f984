#include "cli/command_line.h"

#include "cli/cli11.h"
#include "cli/help.h"
#include "cli/usage_error.h"
#include "core/spelling.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <stdexcept>

namespace ipcbox::cli {

namespace {

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

// The option that the user probably meant by NAME, such as "--wiat". Null when no option is near,
// or when NAME is a single letter.
const Declaration* nearest_option(const Declarations& declared, std::string_view name) {
    if (!name.starts_with("--")) return nullptr;
    const auto nearest =
        std::ranges::min_element(declared.all, {}, [name](const Declaration& declaration) {
            return spelling_distance("--" + declaration.name.word, name);
        });
    if (nearest == declared.all.end() || nearest->name.word.empty()) return nullptr;
    return is_misspelling(nearest->name.word, name.substr(2)) ? &*nearest : nullptr;
}

// A word of a file that stands on the line instead of its option.
struct Included {
    PlacedWord word;
    std::size_t first_option; // the number of options before it
    std::size_t end_option;
};

// The place of the option of this number. INCLUDED is in the order of the options.
std::string place_of(std::span<const Included> included, std::size_t number) {
    const auto found = std::ranges::partition_point(
        included, [number](const Included& one) { return one.end_option <= number; });
    const bool is_there = found != included.end() && found->first_option <= number;
    return is_there ? found->word.place : std::string{};
}

// The place of the first word that is UNKNOWN, or has it as one of several letters.
std::string place_of(std::span<const Included> included, const Declarations& declared,
                     std::string_view unknown) {
    const auto has_it = [&](const Included& one) {
        const auto& text = one.word.text;
        if (text == unknown) return true;
        if (text.starts_with("--") || unknown.starts_with("--") || unknown.size() < 2) return false;
        return text.substr(0, declared.value_letter(text)).find(unknown[1]) != std::string::npos;
    };
    const auto found = std::ranges::find_if(included, has_it);
    return found == included.end() ? std::string{} : found->word.place;
}

[[noreturn]] void refuse_unknown(const Declarations& declared, std::string_view word,
                                 const std::string& place) {
    const auto name = word.substr(0, word.starts_with("--") ? word.find('=') : 2);
    for (const auto& [names, reason] : declared.refused) {
        const auto refused = split_names(names, reason);
        if (name == (name.starts_with("--") ? "--" + refused.word : "-" + refused.letter))
            throw UsageError(
                fmt::format("{}option {} is not supported: {}", place_prefix(place), name, reason));
    }
    if (const auto* meant = nearest_option(declared, name))
        throw UsageError(fmt::format("{}unknown option {}; did you mean {}?", place_prefix(place),
                                     word, meant->shown_name()),
                         help_row(*meant));
    throw UsageError(fmt::format("{}unknown option {}", place_prefix(place), word),
                     usage_line(declared));
}

struct Operand {
    std::string value;
    std::size_t options; // the number of options before it
};

// Separates operands, options and the command. CLI11 could do it, but makes mistakes: it treats a
// second "--" as an option, it takes the next word as the value of an empty "--name=", and it
// ignores "--flag=no".
class Separation {
  public:
    Separation(Declarations& declared, std::span<char* const> arguments) : declared_(declared) {
        for (const char* argument : arguments)
            words_.push_back({argument});
        separate();
    }

    std::vector<std::string> options; // with their values, for CLI11
    std::vector<Operand> operands;
    std::vector<Included> included; // the options that came from files
    bool lacks_command = false;

  private:
    // A word that was not read yet.
    struct Word {
        std::string_view text;
        std::string_view place{}; // empty: on the line
    };

    void separate();
    void take_dashes(std::size_t required);
    void take_option(const Word& word);
    void include_words(std::size_t position, std::string_view place);

    Declarations& declared_;
    std::deque<Word> words_;
    std::deque<PlacedWord> from_files_;
    std::size_t count_ = 0; // how many options came so far
};

void Separation::separate() {
    const auto& all = declared_.all;
    const bool is_endless = std::ranges::any_of(all, &Declaration::repeated);
    const auto room = is_endless ? std::numeric_limits<std::size_t>::max()
                                 : static_cast<std::size_t>(std::ranges::count(
                                       all, Declaration::Kind::operand, &Declaration::kind));
    const auto required =
        static_cast<std::size_t>(std::ranges::count(all, true, &Declaration::required));
    const bool runs_command = declared_.command != nullptr;
    while (!words_.empty()) {
        const auto next = words_.front();
        const auto respelled = declared_.respell ? declared_.respell(next.text) : "";
        const auto word = declared_.respell ? std::string_view{respelled} : next.text;
        const bool is_operand =
            !word.starts_with('-') || word == "-" || declared_.is_negative_number(word);
        if (is_operand && runs_command && operands.size() == room) break;
        words_.pop_front();
        if (word == "--") {
            if (runs_command) take_dashes(required);
            break;
        }
        if (is_operand)
            operands.push_back({std::string{word}, count_});
        else
            take_option({word, next.place});
    }
    for (const auto& word : words_)
        if (runs_command)
            declared_.command->emplace_back(word.text);
        else
            operands.push_back({std::string{word.text}, count_});
}

// "-- 10 make", as with getopt(3): required operands precede the command.
void Separation::take_dashes(std::size_t required) {
    for (; operands.size() < required && !words_.empty(); words_.pop_front())
        operands.push_back({std::string{words_.front().text}, count_});
    // "-- $COMMAND" with an empty variable: the user wanted a command, so do not run without one.
    lacks_command = words_.empty();
}

void Separation::take_option(const Word& taken) {
    const auto& [word, place] = taken;
    const auto name = word.substr(0, word.starts_with("--") ? word.find('=') : word.size());
    const auto* option = name.size() < word.size() ? declared_.find(name) : nullptr;
    if (option != nullptr && !option->takes_value())
        throw UsageError(fmt::format("{}option {} takes no value", place_prefix(place), name),
                         help_row(*option));
    options.emplace_back(word);
    const auto position = options.size() - 1;
    if (option != nullptr) {
        options.back() = name;
        options.emplace_back(word.substr(name.size() + 1));
    } else if (declared_.wants_next_word(word) && !words_.empty()) {
        options.emplace_back(words_.front().text);
        words_.pop_front();
    }
    include_words(position, place);
    if (options.size() == position) return;
    const auto first = count_;
    count_ += declared_.count_options(options[position]);
    if (!place.empty())
        included.push_back({{options[position], std::string{place}}, first, count_});
}

// The last option, which begins at POSITION, can stand for the words of a file. These words then
// replace it, and come before the remaining words.
void Separation::include_words(std::size_t position, std::string_view place) {
    const bool is_alone = position + 1 == options.size();
    auto& word = options[position];
    const auto* option = declared_.option_with_value(word);
    if (option == nullptr || !option->include || (is_alone && declared_.wants_next_word(word)))
        return;
    const auto letter = word.starts_with("--") ? 0 : declared_.value_letter(word);
    const auto value = is_alone ? word.substr(letter + 1) : options.back();
    constexpr std::size_t max_words = 100'000; // a file can include itself
    try {
        const auto first = static_cast<std::ptrdiff_t>(from_files_.size());
        // An option whose value has not come yet. A long one has it in the same word.
        PlacedWord lacking;
        for (auto& one : option->include(value)) {
            const bool is_option = lacking.text.empty() && one.text.starts_with('-');
            lacking = is_option && declared_.wants_next_word(one.text) ? one : PlacedWord{};
            if (lacking.text.starts_with("--")) break;
            from_files_.push_back(std::move(one));
        }
        // It would take the word after -K as its value.
        if (!lacking.text.empty())
            throw std::invalid_argument(fmt::format("{}option {} needs a value",
                                                    place_prefix(lacking.place), lacking.text));
        if (from_files_.size() > max_words)
            throw std::invalid_argument(
                fmt::format("{}{} includes itself", place_prefix(place), value));
        for (auto one = from_files_.end(); one != from_files_.begin() + first;) {
            --one;
            words_.push_front({one->text, one->place});
        }
    } catch (const std::invalid_argument& wrong) {
        throw UsageError(wrong.what(), help_row(*option));
    }
    if (!is_alone) options.pop_back();
    if (letter > 1)
        options.back().resize(letter);
    else
        options.pop_back();
}

// Lets CLI11 parse WORDS, options with their values.
//
// CLI11 compares each option that we add with all earlier ones. With sixty options that takes as
// long as the rest of our start, so we add only the options on the line.
std::vector<Given> read_options(Declarations& declared, std::vector<std::string> words,
                                std::span<const Included> included) {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    struct Known {
        Declaration* declaration;
        std::string value;
        std::size_t values_read = 0;
    };
    std::map<const CLI::Option*, Known> known;
    for (auto& declaration : declared.all) {
        const auto& [letter, word, value, text] = declaration.name;
        if (declaration.kind == Declaration::Kind::operand) continue;
        if (!is_mentioned(declaration.name, words)) continue;
        auto names = letter.empty() ? "" : "-" + letter;
        if (!word.empty()) names.append(names.empty() ? "--" : ",--").append(word);
        if (declaration.takes_value()) {
            auto* option = app.add_option(names, [](const CLI::results_t&) { return true; })
                               ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                               ->allow_extra_args(false);
            known[option] = {&declaration, ""};
            continue;
        }
        known[app.add_flag(names)] = {&declaration, ""};
        const auto no = std::string{negation} + word;
        if (declared.negatable && std::ranges::find(words, no) != words.end() &&
            declared.find(no) == nullptr)
            known[app.add_flag(no)] = {&declaration, "no"};
    }
    try {
        std::ranges::reverse(words); // CLI11 reads them from the back
        app.parse(std::move(words));
    } catch (const CLI::ArgumentMismatch& mismatch) {
        const std::string_view message = mismatch.what();
        const auto name = message.substr(0, message.find(':'));
        const auto* option = declared.find(name);
        throw UsageError(fmt::format("option {} needs a value", name),
                         option != nullptr ? help_row(*option) : std::string{});
    } catch (const CLI::ParseError& error) {
        throw UsageError(error.what());
    }
    if (const auto unknown = app.remaining(); !unknown.empty())
        refuse_unknown(declared, unknown.front(), place_of(included, declared, unknown.front()));
    std::vector<Given> given;
    for (const auto* option : app.parse_order()) {
        auto& [declaration, value, values_read] = known.at(option);
        declaration->given = true;
        given.push_back({declaration,
                         declaration->takes_value() ? option->results().at(values_read++) : value,
                         place_of(included, given.size())});
    }
    return given;
}

} // namespace

std::string place_prefix(std::string_view place) {
    return place.empty() ? std::string{} : fmt::format("{}: ", place);
}

CommandLine read_command_line(Declarations& declared, std::span<char* const> arguments) {
    Separation separated{declared, arguments};
    CommandLine line;
    line.lacks_command = separated.lacks_command;
    // A line without options, such as `sem-take KEY -- COMMAND`, never touches CLI11's pages.
    std::vector<Given> options;
    if (!separated.options.empty())
        options = read_options(declared, std::move(separated.options), separated.included);

    std::size_t options_before = 0;
    const auto add_options = [&](std::size_t until) {
        for (; options_before < std::min(until, options.size()); ++options_before)
            line.given.push_back(std::move(options[options_before]));
    };
    std::span<Operand> left{separated.operands};
    for (auto& declaration : declared.all) {
        if (declaration.kind != Declaration::Kind::operand) continue;
        const auto count =
            declaration.repeated ? left.size() : std::min<std::size_t>(left.size(), 1);
        for (auto& operand : left.first(count)) {
            add_options(operand.options);
            line.given.push_back({&declaration, std::move(operand.value), {}});
        }
        declaration.given = count > 0;
        left = left.subspan(count);
    }
    add_options(options.size());
    if (!left.empty()) line.unexpected = std::move(left.front().value);
    return line;
}

} // namespace ipcbox::cli
