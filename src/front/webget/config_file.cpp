#include "front/webget/config_file.h"

#include "core/text_lines.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::front {

namespace {

constexpr std::string_view blanks = " \t\r\v\f";

char unescaped(char letter) {
    switch (letter) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        return letter;
    }
}

void skip(std::string_view& text, std::string_view bytes) {
    text.remove_prefix(std::min(text.find_first_not_of(bytes), text.size()));
}

std::string take_quoted(std::string_view& text) {
    std::string value;
    for (text.remove_prefix(1); !text.starts_with('"'); text.remove_prefix(1)) {
        if (text.starts_with('\\') && text.size() > 1) {
            text.remove_prefix(1);
            value += unescaped(text.front());
        } else if (!text.empty()) {
            value += text.front();
        } else {
            throw std::invalid_argument("expected a closing quote");
        }
    }
    text.remove_prefix(1);
    return value;
}

// Adds the words of LINE, which is neither empty nor a comment.
void add_words(std::string_view line, std::vector<std::string>& words) {
    const bool has_dash = line.starts_with('-');
    const std::string_view separators = has_dash ? " \t\r\v\f" : " \t\r\v\f=:";
    const auto name = line.substr(0, line.find_first_of(separators));
    line.remove_prefix(name.size());
    const auto gap = line.substr(0, line.find_first_not_of(separators));
    line.remove_prefix(gap.size());
    std::string value;
    // A # is a comment in "silent # text", and a value in "data = #1".
    const bool is_comment =
        line.starts_with('#') && gap.find_first_of("=:") == std::string_view::npos;
    const bool has_value = !line.empty() && !is_comment;
    if (line.starts_with('"')) {
        value = take_quoted(line);
    } else if (has_value) {
        value = line.substr(0, line.find_first_of(blanks));
        line.remove_prefix(value.size());
    }
    skip(line, blanks);
    if (!line.empty() && line.front() != '#')
        throw std::invalid_argument(
            fmt::format("expected quotes around a value with blanks (option {})", name));
    if (name.starts_with('-') && !name.starts_with("--")) {
        words.emplace_back(name);
        if (has_value) words.push_back(std::move(value));
        return;
    }
    words.push_back((has_dash ? "" : "--") + std::string{name});
    if (has_value) words.back() += '=' + value;
}

} // namespace

std::vector<cli::PlacedWord> config_words(std::string_view text, std::string_view name) {
    std::vector<cli::PlacedWord> placed;
    for (TextLines lines{text}; const auto line = lines.next();) {
        auto rest = line->text;
        skip(rest, blanks);
        constexpr std::string_view comments = "#/*"; // curl's
        if (rest.empty() || comments.find(rest.front()) != std::string_view::npos) continue;
        const auto place = fmt::format("{}:{}", name, line->number);
        std::vector<std::string> words;
        try {
            add_words(rest, words);
        } catch (const std::invalid_argument& wrong) {
            throw std::invalid_argument(fmt::format("{}: {}", place, wrong.what()));
        }
        for (auto& word : words)
            placed.push_back({std::move(word), place});
    }
    return placed;
}

} // namespace ipcbox::front
