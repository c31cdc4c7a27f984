#include "cli/declarations.h"

#include "core/words.h"

#include <algorithm>

namespace ipcbox::cli {

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

std::string Declaration::shown_name() const {
    if (kind == Kind::operand) return name.value;
    return name.word.empty() ? "-" + name.letter : "--" + name.word;
}

const Declaration* Declarations::find(std::string_view name) const {
    const auto found = std::ranges::find_if(all, [name](const Declaration& declaration) {
        const auto& [letter, word, value, text] = declaration.name;
        return name.starts_with("--") ? !word.empty() && name.substr(2) == word
                                      : !letter.empty() && name.substr(1) == letter;
    });
    return found != all.end() ? &*found : nullptr;
}

bool Declarations::is_negative_number(std::string_view word) const {
    return word.size() > 1 && word[0] == '-' && word[1] >= '0' && word[1] <= '9' &&
           find(word.substr(0, 2)) == nullptr;
}

std::size_t Declarations::value_letter(std::string_view word) const {
    for (std::size_t at = 1; at < word.size(); ++at)
        if (const auto* option = find(std::string{'-', word[at]});
            option != nullptr && option->takes_value())
            return at;
    return word.size();
}

const Declaration* Declarations::option_with_value(std::string_view word) const {
    if (!word.starts_with("--")) {
        const auto at = value_letter(word);
        return at == word.size() ? nullptr : find(std::string{'-', word[at]});
    }
    const auto* option = find(word);
    return option != nullptr && option->takes_value() ? option : nullptr;
}

std::size_t Declarations::count_options(std::string_view word) const {
    if (word.starts_with("--")) return 1;
    return std::min(value_letter(word), word.size() - 1);
}

bool Declarations::wants_next_word(std::string_view word) const {
    return option_with_value(word) != nullptr &&
           (word.starts_with("--") || value_letter(word) + 1 == word.size());
}

} // namespace ipcbox::cli
