#include "commands/words.h"

#include "core/ascii.h"
#include "core/number.h"
#include "core/shell_words.h"
#include "core/words.h"

#include <algorithm>
#include <fmt/core.h>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

namespace ipcbox::commands {

namespace {

constexpr std::size_t max_arguments = 16;

// Where the reference that begins at START ends, after its closing brace. A brace inside /REGEX/
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

// Parses the words of a command. Before it splits them, it replaces each reference by a byte that
// no file of commands can contain. So quotes and references do not disturb each other.
class WordsParser {
  public:
    explicit WordsParser(std::string_view text) : text_(text) {}

    void parse(Command& into) {
        take_references();
        for (const auto& [number, at] : untyped_)
            if (!types_.contains(number))
                throw LanguageMistake{at,
                                      fmt::format("expected a type, such as {{{}:word}}", number)};
        for (const auto& word : split())
            into.words.push_back(pieces_of(word));
        if (into.words.empty()) throw LanguageMistake{0, "expected a program to run"};
        const auto& program = into.words.front();
        if (std::ranges::any_of(program,
                                [](const auto& piece) { return piece.argument.has_value(); }))
            throw LanguageMistake{0, "a client's argument cannot choose the program"};
        for (std::size_t number = 1; number <= types_.size(); ++number) {
            const auto found = types_.find(number);
            if (found == types_.end())
                throw LanguageMistake{
                    0, fmt::format("argument {} is missing: they count from 1", number)};
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
            if (end == std::string_view::npos)
                throw LanguageMistake{at, "this brace is not closed"};
            take_reference(text_.substr(at + 1, end - at - 2), at);
            plain_ += mark;
            at = end;
        }
    }

    void take_reference(std::string_view inside, std::size_t at) {
        const auto text = take_until(inside, ':');
        const auto number = whole_number<std::size_t>(text);
        if (!number || *number == 0 || *number > max_arguments)
            throw LanguageMistake{
                at, fmt::format("expected {{N:TYPE}} with N from 1 to {}", max_arguments)};
        references_.push_back(*number - 1);
        if (inside.empty()) { // its type stands elsewhere
            untyped_.emplace(*number, at);
            return;
        }
        try {
            if (!types_.emplace(*number, ArgumentType::parse(inside)).second)
                throw std::invalid_argument("this argument already has a type");
        } catch (const std::invalid_argument& error) {
            throw LanguageMistake{at, error.what()};
        }
    }

    [[nodiscard]] std::vector<std::string> split() const {
        try {
            return shell_words(plain_);
        } catch (const ShellWordsError& error) {
            const auto at = error.column() - 1;
            throw LanguageMistake{at < origins_.size() ? origins_[at] : text_.size(),
                                  error.reason()};
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
    std::vector<std::size_t> origins_;    // where in text_ each byte of plain_ was
    std::vector<std::size_t> references_; // indices of arguments, in their order in the text
    std::size_t used_ = 0;                // how many of references_ are used
    std::map<std::size_t, ArgumentType> types_;
    std::map<std::size_t, std::size_t> untyped_; // where an argument has no type
};

} // namespace

void parse_words(std::string_view text, Command& into) {
    WordsParser{text}.parse(into);
}

} // namespace ipcbox::commands
