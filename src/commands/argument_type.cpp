#include "commands/argument_type.h"

#include "core/ascii.h"
#include "core/number.h"
#include "core/text_lines.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::commands {

namespace {

bool is_word(std::string_view text) {
    constexpr std::string_view others = "_.,:@%+=-";
    return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [=](char byte) {
        return ascii::is_letter(byte) || ascii::is_digit(byte) ||
               others.find(byte) != std::string_view::npos;
    });
}

// The expression between the slashes, with "/" for "\/".
std::string expression_in(std::string_view text) {
    std::string expression;
    for (std::size_t at = 1; at + 1 < text.size(); ++at) {
        if (text[at] == '\\' && at + 2 < text.size()) {
            ++at;
            if (text[at] >= '1' && text[at] <= '9')
                throw std::invalid_argument("a back-reference is not allowed here");
            if (text[at] != '/') expression += '\\';
        }
        expression += text[at];
    }
    return expression;
}

} // namespace

ArgumentType ArgumentType::parse(std::string_view text) {
    ArgumentType type;
    if (text == "word") {
        type.text_ = "WORD";
    } else if (text == "int") {
        type.kind_ = Kind::integer;
        type.text_ = "NUMBER";
    } else if (text.starts_with("int ")) {
        type.kind_ = Kind::integer;
        type.parse_range(trimmed(text.substr(4)));
    } else if (text.size() > 2 && text.starts_with('/') && text.ends_with('/')) {
        type.kind_ = Kind::pattern;
        type.compile(text);
    } else {
        throw std::invalid_argument("expected word, int, int MIN-MAX or /REGEX/");
    }
    return type;
}

void ArgumentType::parse_range(std::string_view text) {
    // A minus sign in front is not a separator.
    const auto dash = text.find('-', 1);
    const auto min = whole_number<std::int64_t>(text.substr(0, std::min(dash, text.size())));
    const auto max = whole_number<std::int64_t>(text.substr(std::min(dash, text.size() - 1) + 1));
    if (!min || !max || *min > *max)
        throw std::invalid_argument("expected a range of whole numbers, such as 1-9");
    min_ = *min;
    max_ = *max;
    text_ = fmt::format("{}-{}", min_, max_);
}

void ArgumentType::compile(std::string_view text) {
    const auto expression = "^(" + expression_in(text) + ")$";
    auto pattern = std::make_unique<regex_t>();
    if (const int error = ::regcomp(pattern.get(), expression.c_str(), REG_EXTENDED | REG_NOSUB);
        error != 0) {
        std::array<char, 128> why{};
        (void)::regerror(error, pattern.get(), why.data(), why.size());
        throw std::invalid_argument(
            fmt::format("this regular expression is invalid: {}", why.data()));
    }
    pattern_ = std::shared_ptr<regex_t>(pattern.release(), [](regex_t* compiled) {
        ::regfree(compiled);
        delete compiled; // NOLINT(cppcoreguidelines-owning-memory)
    });
    text_ = text;
}

bool ArgumentType::takes(std::string_view text) const {
    if (text.size() > max_bytes || text.find('\0') != std::string_view::npos) return false;
    if (kind_ == Kind::word) return is_word(text);
    if (kind_ == Kind::integer) {
        const auto number = whole_number<std::int64_t>(text);
        return number && *number >= min_ && *number <= max_;
    }
    return ::regexec(pattern_.get(), std::string{text}.c_str(), 0, nullptr, 0) == 0;
}

} // namespace ipcbox::commands
