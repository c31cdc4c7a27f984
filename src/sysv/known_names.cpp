#include "sysv/known_names.h"

#include "core/error.h"
#include "core/process_stat.h"
#include "core/words.h"
#include "process/selection.h"

namespace ipcbox::sysv {

void KnownNames::add(std::string_view text) {
    constexpr std::size_t max_name = 256;
    if (!text.starts_with('@') || text.size() == 1 || text.size() > max_name) return;
    const auto key = Key::parse(text);
    names_.emplace(key.value(), key);
}

void KnownNames::add_words_of(std::string_view command_line) {
    using namespace std::string_view_literals;
    // The characters that end a word for a shell. The text after "sh -c" is split too.
    constexpr auto blanks = "\0 \t\r\n;&|<>()'\"`"sv;
    if (command_line.find('@') == std::string_view::npos) return;
    for (;;) {
        const auto word = take_word(command_line, blanks);
        if (word.empty()) return;
        add(word);
    }
}

void KnownNames::add_processes() try {
    for (const pid_t pid : process::all_pids())
        try {
            if (const auto line = read_process_file(pid, "cmdline")) add_words_of(*line);
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): we do not learn its names
        }
} catch (const Error&) { // NOLINT(bugprone-empty-catch): there is no /proc
}

const Key* KnownNames::find(key_t key) const {
    const auto found = names_.find(key);
    return found == names_.end() ? nullptr : &found->second;
}

} // namespace ipcbox::sysv
