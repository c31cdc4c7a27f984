#include "server/command_language.h"

#include "core/ascii.h"
#include "core/duration.h"
#include "core/number.h"
#include "core/shell_words.h"
#include "core/text_lines.h"
#include "core/words.h"

#include <algorithm>
#include <fmt/core.h>
#include <map>
#include <stdexcept>

namespace ipcbox::server {

namespace {

constexpr std::string_view blanks = " \t\r";
constexpr std::size_t max_name = 64;
constexpr std::size_t max_arguments = 16;

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

// The end of the reference that begins at START: behind its closing brace. A brace within /REGEX/
// does not close it.
std::size_t end_of_reference(std::string_view text, std::size_t start) {
    const auto colon = text.find_first_not_of("0123456789", start + 1);
    if (colon >= text.size()) return std::string_view::npos;
    if (text[colon] != ':' || colon + 1 >= text.size() || text[colon + 1] != '/') {
        const auto brace = text.find('}', start);
        return brace == std::string_view::npos ? brace : brace + 1;
    }
    for (std::size_t at = colon + 2; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '/')
            return at + 1 < text.size() && text[at + 1] == '}' ? at + 2 : std::string_view::npos;
    }
    return std::string_view::npos;
}

// A mistake in one line. The function that catches it adds the file and the line.
struct Mistake {
    std::size_t offset; // in the text, from 0
    std::string what;
};

// Parses the words of a command. Before it splits them at quotes, it replaces each reference by a
// byte that no file of commands can contain.
class WordsParser {
  public:
    explicit WordsParser(std::string_view text) : text_(text) {}

    void parse(Command& into) {
        take_references();
        for (const auto& [number, at] : untyped_)
            if (!types_.contains(number))
                throw Mistake{at, fmt::format("expected a type, such as {{{}:word}}", number)};
        for (const auto& word : split())
            into.words.push_back(pieces_of(word));
        if (into.words.empty()) throw Mistake{0, "expected a program to run"};
        const auto& program = into.words.front();
        if (std::ranges::any_of(program,
                                [](const auto& piece) { return piece.argument.has_value(); }))
            throw Mistake{0, "a client's argument cannot choose the program"};
        for (std::size_t number = 1; number <= types_.size(); ++number) {
            const auto found = types_.find(number);
            if (found == types_.end())
                throw Mistake{0, fmt::format("argument {} is missing: they count from 1", number)};
            into.types.push_back(found->second);
        }
    }

  private:
    static constexpr char mark = '\x01';

    void take_references() {
        for (std::size_t at = 0; at < text_.size();) {
            const bool quoted = at > 0 && text_[at - 1] == '\\';
            const bool begins = text_[at] == '{' && at + 1 < text_.size() &&
                                ascii::is_digit(text_[at + 1]) && !quoted;
            origins_.push_back(at);
            if (!begins) {
                plain_ += text_[at++];
                continue;
            }
            const auto end = end_of_reference(text_, at);
            if (end == std::string_view::npos) throw Mistake{at, "this brace is not closed"};
            take_reference(text_.substr(at + 1, end - at - 2), at);
            plain_ += mark;
            at = end;
        }
    }

    void take_reference(std::string_view inside, std::size_t at) {
        const auto text = take_until(inside, ':');
        const auto number = whole_number<std::size_t>(text);
        if (!number || *number == 0 || *number > max_arguments)
            throw Mistake{at,
                          fmt::format("expected {{N:TYPE}} with N from 1 to {}", max_arguments)};
        references_.push_back(*number - 1);
        if (inside.empty()) { // the same argument as elsewhere
            untyped_.emplace(*number, at);
            return;
        }
        try {
            if (!types_.emplace(*number, ArgumentType::parse(inside)).second)
                throw std::invalid_argument("this argument has a type already");
        } catch (const std::invalid_argument& error) {
            throw Mistake{at, error.what()};
        }
    }

    [[nodiscard]] std::vector<std::string> split() const {
        try {
            return shell_words(plain_);
        } catch (const ShellWordsError& error) {
            const auto at = error.column() - 1;
            throw Mistake{at < origins_.size() ? origins_[at] : text_.size(), error.reason()};
        }
    }

    Command::Word pieces_of(std::string_view word) {
        Command::Word pieces;
        for (;;) {
            const auto found = word.find(mark);
            Command::Piece piece{std::string{word.substr(0, found)}, std::nullopt};
            if (found == std::string_view::npos) {
                if (!piece.text.empty() || pieces.empty()) pieces.push_back(std::move(piece));
                return pieces;
            }
            piece.argument = references_.at(used_++);
            pieces.push_back(std::move(piece));
            word.remove_prefix(found + 1);
        }
    }

    std::string_view text_;
    std::string plain_;
    std::vector<std::size_t> origins_;    // in text_, of each byte of plain_
    std::vector<std::size_t> references_; // indices of arguments, in their order in the text
    std::size_t used_ = 0;                // of references_
    std::map<std::size_t, ArgumentType> types_;
    std::map<std::size_t, std::size_t> untyped_; // where in text_ an argument has no type
};

// "NAME = WORDS"; offsets of mistakes are those in TEXT.
Command parse_definition(std::string_view text) {
    const auto equals = text.find('=');
    const auto name = trimmed(text.substr(0, equals));
    const auto name_at = std::min(text.find_first_not_of(blanks), text.size());
    if (!is_name(name, "-_"))
        throw Mistake{name_at, fmt::format("expected the name of a command: at most {} letters, "
                                           "digits, - and _",
                                           max_name)};
    if (equals == std::string_view::npos)
        throw Mistake{name_at + name.size(), "expected = and what the command runs"};
    if (name == "quit" || name == "help")
        throw Mistake{name_at, fmt::format("{} is always built in", name)};
    Command command;
    command.name = name;
    const auto words_at = std::min(text.find_first_not_of(blanks, equals + 1), text.size());
    try {
        WordsParser{text.substr(words_at)}.parse(command);
    } catch (Mistake& mistake) {
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
        if (!is_right) throw Mistake{value_at, fmt::format("expected {}", what)};
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
        expect(number && *number > 0 && *number <= CommandLanguage::max_concurrency,
               fmt::format("a number from 1 to {}", CommandLanguage::max_concurrency));
        command.concurrency = *number;
    } else if (name == "env") {
        expect(is_variable(value), "NAME=VALUE");
        command.environment.emplace_back(value);
    } else if (name == "help") {
        expect(!value.empty(), "a text");
        command.help = value;
    } else {
        throw Mistake{start, "expected timeout, max-output, user, concurrency, env or help"};
    }
}

void refuse_control_bytes(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at)
        if (ascii::is_control(text[at]) && text[at] != '\t')
            throw Mistake{at, "a control byte cannot stand here"};
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
class CommandLanguage::Parser {
  public:
    static void parse_line(const TextLine& line, CommandLanguage& into) {
        const auto content = trimmed(line.text);
        if (content.empty() || content.front() == '#') return;
        refuse_control_bytes(line.text);
        if (blanks.find(line.text.front()) == std::string_view::npos) {
            add(parse_definition(line.text), line.number, into);
            return;
        }
        if (into.commands_.empty()) throw Mistake{0, "expected a command before its properties"};
        parse_property(line.text, into.commands_.back());
    }

    static void add(Command command, unsigned line, CommandLanguage& into) {
        if (into.commands_.size() == max_commands)
            throw Mistake{0, fmt::format("there are more than {} commands", max_commands)};
        if (const auto* const other = into.find(command.name); other != nullptr)
            throw Mistake{0, fmt::format("{} is there already{}", command.name,
                                         other->line > 0 ? fmt::format(", in line {}", other->line)
                                                         : std::string{})};
        command.line = line;
        into.commands_.push_back(std::move(command));
    }
};

CommandLanguage CommandLanguage::parse(std::string_view text, std::string_view file) {
    CommandLanguage language;
    for (TextLines lines{text}; const auto line = lines.next();)
        try {
            Parser::parse_line(*line, language);
        } catch (const Mistake& mistake) {
            throw LanguageError(file, line->number, mistake.offset + 1, mistake.what);
        }
    return language;
}

void CommandLanguage::add(std::string_view definition, std::string_view where) {
    try {
        refuse_control_bytes(definition);
        Parser::add(parse_definition(definition), 0, *this);
    } catch (const Mistake& mistake) {
        throw LanguageError(where, 1, mistake.offset + 1, mistake.what);
    }
}

const Command* CommandLanguage::find(std::string_view name) const {
    const auto found = std::ranges::find(commands_, name, &Command::name);
    return found == commands_.end() ? nullptr : &*found;
}

} // namespace ipcbox::server
