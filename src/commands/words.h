// The words that a command of command-server runs, with the client's arguments in them:
// "df -h {1:word}". See commands/language.h.
#pragma once

#include "commands/language.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ipcbox::commands {

// A mistake in one line. The function that catches it adds the file and the line.
struct LanguageMistake {
    std::size_t offset; // in the text, from 0
    std::string what;
};

// Sets the words and the types of INTO. Throws LanguageMistake.
void parse_words(std::string_view text, Command& into);

} // namespace ipcbox::commands
