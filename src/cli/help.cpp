#include "cli/help.h"

#include "cli/output.h"
#include "core/words.h"

namespace ipcbox::cli {

namespace {

constexpr std::size_t help_width = 80;
// The column where the explanations start. Longer names get a line of their own.
constexpr std::size_t text_column = 27;

// Breaks TEXT into lines that end before the help's last column. All lines except the first are
// indented.
std::string wrap(std::string_view text, std::size_t indent) {
    std::string result;
    std::size_t column = indent;
    while (!text.empty()) {
        const auto word = take_until(text, ' ');
        if (column > indent && column + 1 + word.size() > help_width) {
            result.append(1, '\n').append(indent, ' ');
            column = indent;
        } else if (column > indent) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
    }
    return result;
}

// "  NAMES   TEXT" with the text in its column, in one line or more.
std::string help_row(const std::string& names, std::string_view text) {
    if (names.size() + 2 > text_column)
        return fmt::format("{}\n{:{}}{}\n", names, "", text_column, wrap(text, text_column));
    return fmt::format("{:<{}}{}\n", names, text_column, wrap(text, text_column));
}

} // namespace

std::string help_row(const Declaration& declaration) {
    const auto& [letter, word, value, text] = declaration.name;
    if (declaration.kind == Declaration::Kind::operand)
        return help_row(fmt::format("  {}", value), text);
    const auto dashed = letter.empty() ? "   " : "-" + letter;
    const auto comma = letter.empty() ? " " : word.empty() ? "" : ", ";
    return help_row(fmt::format("  {}{}{}{}{}{}", dashed, comma, word.empty() ? "" : "--", word,
                                value.empty() ? "" : " ", value),
                    text);
}

namespace {

void print_operands(const Declarations& declared) {
    bool first = true;
    for (const auto& declaration : declared.all) {
        if (declaration.kind != Declaration::Kind::operand) continue;
        if (first) print_line("\nOperands:");
        first = false;
        print(help_row(declaration));
    }
}

// Prints the options of section OF, which is empty for options without a section.
void print_options(const Declarations& declared, std::string_view title, std::string_view of) {
    bool first = true;
    for (const auto& declaration : declared.all) {
        if (declaration.kind == Declaration::Kind::operand || declaration.section != of) continue;
        if (first) print_line("\n{}:", title);
        first = false;
        print(help_row(declaration));
    }
}

} // namespace

void print_help(const Declarations& declared) {
    print_line("Usage: {} [OPTION...]{}{}", declared.program, declared.usage.empty() ? "" : " ",
               declared.usage);
    print_line("{}", declared.summary);
    print_operands(declared);
    print_options(declared, "Options", {});
    for (const auto title : declared.sections)
        print_options(declared, title, title);
    for (const auto& note : declared.notes)
        print_line("\n{}", wrap(note, 0));
    if (!declared.examples.empty()) print_line("\nExamples:");
    for (const auto& example : declared.examples)
        print_line("  {}\n      {}", example.command, wrap(example.text, 6));
}

} // namespace ipcbox::cli
