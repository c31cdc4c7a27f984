#include "commands/language.h"

#include "commands/words.h"
#include "core/ascii.h"
#include "core/duration.h"
#include "core/number.h"
#include "core/text_lines.h"
#include "core/words.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::commands {

namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::size_t max_name = 64;

bool is_name(std::string_view text, std::string_view others) {
    return !text.empty() && text.size() <= max_name && ascii::is_letter(text.front()) &&
           std::ranges::all_of(text, [=](char byte) {
               return ascii::is_letter(byte) || ascii::is_digit(byte) ||
                      others.find(byte) != std::string_view::npos;
           });
}

bool is_variable(std::string_view text) {
    const auto name = text.substr(0, text.find('='));
    return name.size() < text.size() && !name.empty() && !ascii::is_digit(name.front()) &&
           std::ranges::all_of(name, [](char byte) {
               return ascii::is_letter(byte) || ascii::is_digit(byte) || byte == '_';
           });
}

// The bytes in a size such as "64K"; nothing when TEXT is not a size.
std::optional<std::size_t> size_in(std::string_view text) {
    constexpr std::string_view units = "KMG";
    unsigned shift = 0;
    if (!text.empty())
        if (const auto unit = units.find(ascii::upper(text.back())); unit < units.size()) {
            shift = 10 * (static_cast<unsigned>(unit) + 1);
            text.remove_suffix(1);
        }
    const auto number = whole_number<std::uint32_t>(text);
    if (!number) return std::nullopt;
    return static_cast<std::size_t>(*number) << shift;
}

// "5/1m": five runs a minute
std::optional<Rate> rate_in(std::string_view text) {
    constexpr unsigned max_count = 1'000'000;
    const auto slash = std::min(text.find('/'), text.size());
    const auto count = whole_number<unsigned>(text.substr(0, slash));
    const auto window = duration_in(text.substr(std::min(slash + 1, text.size())));
    if (!count || *count == 0 || *count > max_count || !window || *window == Duration{})
        return std::nullopt;
    return Rate{*count, *window, std::string{text}};
}

// Parses "NAME = WORDS". In a mistake, the offset is that in TEXT.
Command parse_definition(std::string_view text) {
    const auto equals = text.find('=');
    const auto name = trimmed(text.substr(0, equals));
    const auto name_at = std::min(text.find_first_not_of(blanks), text.size());
    if (!is_name(name, "-_"))
        throw LanguageMistake{name_at,
                              fmt::format("expected the name of a command: at most {} letters, "
                                          "digits, - and _",
                                          max_name)};
    if (equals == std::string_view::npos)
        throw LanguageMistake{name_at + name.size(), "expected = and what the command runs"};
    if (name == "quit" || name == "help")
        throw LanguageMistake{name_at, fmt::format("{} is always built in", name)};
    Command command;
    command.name = name;
    const auto words_at = std::min(text.find_first_not_of(blanks, equals + 1), text.size());
    try {
        parse_words(text.substr(words_at), command);
    } catch (LanguageMistake& mistake) {
        mistake.offset += words_at;
        throw;
    }
    return command;
}

// "timeout 5s"
void parse_property(std::string_view text, Command& command) {
    const auto start = std::min(text.find_first_not_of(blanks), text.size());
    auto left = text.substr(start);
    const auto name = take_word(left, blanks);
    const auto value = trimmed(left);
    const auto value_at =
        value.empty() ? text.size() : static_cast<std::size_t>(value.data() - text.data());
    const auto expect = [value_at](bool is_right, std::string_view what) {
        if (!is_right) throw LanguageMistake{value_at, fmt::format("expected {}", what)};
    };
    if (name == "timeout") {
        const auto duration = duration_in(value);
        expect(duration.has_value(), "a duration, such as 5s (0 for no limit)");
        command.timeout = duration == Duration{} ? std::nullopt : duration;
    } else if (name == "max-output") {
        const auto size = size_in(value);
        expect(size && *size > 0, "a size above 0, such as 64K");
        command.max_output = *size;
    } else if (name == "user") {
        expect(!value.empty(), "a user");
        command.user = value;
    } else if (name == "concurrency") {
        const auto number = whole_number<unsigned>(value);
        expect(number && *number > 0 && *number <= Language::max_concurrency,
               fmt::format("a number from 1 to {}", Language::max_concurrency));
        command.concurrency = *number;
    } else if (name == "rate") {
        command.rate = rate_in(value);
        expect(command.rate.has_value(), "a number of runs in a time, such as 5/1m");
    } else if (name == "env") {
        expect(is_variable(value), "NAME=VALUE");
        command.environment.emplace_back(value);
    } else if (name == "help") {
        expect(!value.empty(), "a text");
        command.help = value;
    } else {
        throw LanguageMistake{start,
                              "expected timeout, max-output, user, concurrency, rate, env or help"};
    }
}

void refuse_control_bytes(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at)
        if (ascii::is_control(text[at]) && text[at] != '\t')
            throw LanguageMistake{at, "a control byte cannot stand here"};
}

} // namespace

LanguageError::LanguageError(std::string_view file, unsigned line, std::size_t column,
                             std::string_view what)
    : Error(fmt::format("{}:{}:{}: {}", file, line, column, what)), line_(line), column_(column) {}

std::vector<std::string> Command::with(std::span<const std::string> arguments) const {
    if (arguments.size() != types.size()) throw ArgumentError(fmt::format("usage: {}", usage()));
    for (std::size_t at = 0; at < types.size(); ++at)
        if (!types[at].takes(arguments[at]))
            throw ArgumentError(
                fmt::format("argument {} is not {}; usage: {}", at + 1, types[at].text(), usage()));
    std::vector<std::string> made;
    for (const auto& word : words) {
        auto& text = made.emplace_back();
        for (const auto& piece : word) {
            text += piece.text;
            if (piece.argument) text += arguments[*piece.argument];
        }
    }
    return made;
}

std::string Command::usage() const {
    std::string text = name;
    for (const auto& type : types)
        text += " " + type.text();
    return text;
}

// A file, line by line.
class Language::Parser {
  public:
    static void parse_line(const TextLine& line, Language& into) {
        const auto content = trimmed(line.text);
        if (content.empty() || content.front() == '#') return;
        refuse_control_bytes(line.text);
        if (blanks.find(line.text.front()) == std::string_view::npos) {
            add(parse_definition(line.text), line.number, into);
            return;
        }
        if (into.commands_.empty())
            throw LanguageMistake{0, "expected a command before its properties"};
        parse_property(line.text, into.commands_.back());
    }

    static void add(Command command, unsigned line, Language& into) {
        if (into.commands_.size() == max_commands)
            throw LanguageMistake{0, fmt::format("there are more than {} commands", max_commands)};
        if (const auto* const other = into.find(command.name); other != nullptr)
            throw LanguageMistake{0, fmt::format("{} is there already{}", command.name,
                                                 other->line > 0
                                                     ? fmt::format(", in line {}", other->line)
                                                     : std::string{})};
        command.line = line;
        into.commands_.push_back(std::move(command));
    }
};

Language Language::parse(std::string_view text, std::string_view file) {
    Language language;
    for (TextLines lines{text}; const auto line = lines.next();)
        try {
            Parser::parse_line(*line, language);
        } catch (const LanguageMistake& mistake) {
            throw LanguageError(file, line->number, mistake.offset + 1, mistake.what);
        }
    return language;
}

void Language::add(std::string_view definition, std::string_view where) {
    try {
        refuse_control_bytes(definition);
        Parser::add(parse_definition(definition), 0, *this);
    } catch (const LanguageMistake& mistake) {
        throw LanguageError(where, 1, mistake.offset + 1, mistake.what);
    }
}

const Command* Language::find(std::string_view name) const {
    const auto found = std::ranges::find(commands_, name, &Command::name);
    return found == commands_.end() ? nullptr : &*found;
}

} // namespace ipcbox::commands
