#include "cli/help.h"

#include "cli/output.h"
#include "cli/style.h"
#include "core/words.h"

#include <unistd.h>

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
std::string help_row(const std::string& names, std::string_view text, const Style& style) {
    const bool fits = names.size() + 2 <= text_column;
    const auto gap =
        fits ? std::string(text_column - names.size(), ' ') : '\n' + std::string(text_column, ' ');
    return style.name(names) + gap + wrap(text, text_column) + '\n';
}

std::string help_row(const Declaration& declaration, const Style& style) {
    const auto& [letter, word, value, text] = declaration.name;
    if (declaration.kind == Declaration::Kind::operand)
        return help_row(fmt::format("  {}", value), text, style);
    const auto dashed = letter.empty() ? "   " : "-" + letter;
    const auto comma = letter.empty() ? " " : word.empty() ? "" : ", ";
    return help_row(fmt::format("  {}{}{}{}{}{}", dashed, comma, word.empty() ? "" : "--", word,
                                value.empty() ? "" : " ", value),
                    text, style);
}

void print_operands(const Declarations& declared, const Style& style) {
    bool first = true;
    for (const auto& declaration : declared.all) {
        if (declaration.kind != Declaration::Kind::operand) continue;
        if (first) print_line("\n{}", style.title("Operands:"));
        first = false;
        print(help_row(declaration, style));
    }
}

// Prints the options of the section OF. Options without a section have an empty OF.
void print_options(const Declarations& declared, std::string_view title, std::string_view of,
                   const Style& style) {
    bool first = true;
    for (const auto& declaration : declared.all) {
        if (declaration.kind == Declaration::Kind::operand || declaration.section != of) continue;
        if (first) print_line("\n{}", style.title(fmt::format("{}:", title)));
        first = false;
        print(help_row(declaration, style));
    }
}

} // namespace

std::string help_row(const Declaration& declaration) {
    return help_row(declaration, Style::none());
}

std::string usage_line(const Declarations& declared) {
    return fmt::format("Usage: {} [OPTION...]{}{}\n", declared.program,
                       declared.usage.empty() ? "" : " ", declared.usage);
}

void print_help(const Declarations& declared) {
    const auto style = Style::for_output(STDOUT_FILENO);
    print(usage_line(declared));
    print_line("{}", declared.summary);
    print_operands(declared, style);
    print_options(declared, "Options", {}, style);
    for (const auto title : declared.sections)
        print_options(declared, title, title, style);
    for (const auto& note : declared.notes)
        print_line("\n{}", wrap(note, 0));
    if (!declared.examples.empty()) print_line("\n{}", style.title("Examples:"));
    for (const auto& example : declared.examples)
        print_line("  {}\n      {}", style.name(example.command), wrap(example.text, 6));
}

} // namespace ipcbox::cli
