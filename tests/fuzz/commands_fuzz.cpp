// Files of commands, the words in them, and the arguments that clients may give.
#include "commands/language.h"
#include "core/number.h"
#include "core/shell_words.h"
#include "require.h"

#include <algorithm>

using namespace ipcbox;

namespace {

// How often regcomp(3) could copy a part of an expression in TEXT: it copies the part before "+"
// once, and the part before "{9}" nine times, also when there are copies in it already. The file is
// the operator's own, so ipcbox leaves that to regcomp.
double copies(std::string_view text) {
    double count = 1;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '+') count *= 2;
        if (text[at] != '{') continue;
        const auto number = text.substr(at + 1, text.find_first_of(",}:", at) - at - 1);
        count *= std::max(1.0, static_cast<double>(whole_number<int>(number).value_or(1)));
    }
    return count;
}

void check_command(const commands::Command& command, std::string_view text) {
    require(!command.words.empty() && !command.name.empty() && command.max_output > 0);
    const std::vector<std::string> arguments(command.types.size(), std::string{text.substr(0, 64)});
    try {
        require(command.with(arguments).size() == command.words.size());
    } catch (const commands::ArgumentError&) { // NOLINT(bugprone-empty-catch): an answer too
    }
}

void check_file(std::string_view text) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    try {
        const auto language = commands::Language::parse(text, "commands");
        for (const auto& command : language.commands())
            check_command(command, text);
    } catch (const commands::LanguageError& error) {
        require(error.line() >= 1 && error.line() <= lines);
        require(error.column() >= 1 && error.column() <= text.size() + 1);
    }
}

void check_words(std::string_view text) {
    require(shell_words(shell_quoted(text)).front() == text);
    try {
        for (const auto& word : shell_words(text))
            require(word.size() <= text.size());
    } catch (const ShellWordsError& error) {
        require(error.column() >= 1 && error.column() <= text.size());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    constexpr double bearable = 1e5;
    if (copies(text) <= bearable) check_file(text);
    check_words(text);
    return 0;
}
