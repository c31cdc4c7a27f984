// Files of commands, the words in them, and the arguments that clients may give.
#include "core/shell_words.h"
#include "require.h"
#include "server/command_language.h"

#include <algorithm>

using namespace ipcbox;

namespace {

void check_command(const server::Command& command, std::string_view text) {
    require(!command.words.empty() && !command.name.empty() && command.max_output > 0);
    const std::vector<std::string> arguments(command.types.size(), std::string{text.substr(0, 64)});
    try {
        require(command.with(arguments).size() == command.words.size());
    } catch (const server::ArgumentError&) { // NOLINT(bugprone-empty-catch): an answer too
    }
}

void check_file(std::string_view text) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    try {
        const auto language = server::CommandLanguage::parse(text, "commands");
        for (const auto& command : language.commands())
            check_command(command, text);
    } catch (const server::LanguageError& error) {
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
    check_file(text);
    check_words(text);
    return 0;
}
