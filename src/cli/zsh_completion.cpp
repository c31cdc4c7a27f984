#include "cli/completion_words.h"
#include "cli/output.h"

namespace ipcbox::cli {

namespace {

// TEXT between apostrophes, for a POSIX shell.
std::string quoted(std::string_view text) {
    std::string result{"'"};
    for (const char byte : text)
        result.append(byte == '\'' ? "'\\''" : std::string(1, byte));
    return result + "'";
}

// "'(-w --wait)'{-w+,--wait=}'[text]:DURATION: '" as _arguments takes it (zshcompsys(1)).
std::string zsh_specification(const OptionName& option) {
    const bool value = has_value(option);
    const auto word =
        option.word.empty() ? "" : fmt::format("--{}{}", option.word, value ? "=" : "");
    const auto letter =
        option.letter.empty() ? "" : fmt::format("-{}{}", option.letter, value ? "+" : "");
    auto tail = fmt::format("[{}]", escaped(option.text, "[]:\\"));
    if (value) tail += fmt::format(":{}:{}", option.value, has_path(option) ? "_files" : " ");
    if (letter.empty() || word.empty()) return quoted("*" + letter + word + tail);
    return fmt::format("'*'{{{},{}}}{}", quoted(letter), word, quoted(tail)); // -# is a pattern
}

} // namespace

void print_zsh_completion(std::span<const AppletRow> applets) {
    print_line("#compdef ipcbox {0}\n"
               "# zsh completion for ipcbox, from ipcbox --completion zsh\n"
               "_ipcbox() {{\n"
               "    local applet=$service\n"
               "    local -a applets options\n"
               "    if [[ $applet == ipcbox* ]]; then\n"
               "        if ((CURRENT == 2)); then\n"
               "            applets=(",
               applet_names(applets));
    const auto print_described = [](std::string_view name, std::string_view text) {
        print_line("                {}", quoted(fmt::format("{}:{}", name, text)));
    };
    for (const auto& row : applets)
        print_described(row.name, row.applet->summary);
    print_described("help", help_text);
    print_line("            )\n"
               "            options=(");
    for (const auto& option : box_options)
        print_described(fmt::format("--{}", option.word), option.text);
    print_line("                '--list=full:print their groups and summaries too'\n"
               "            )\n"
               "            _describe -t applets applet applets\n"
               "            _describe -o -t options option options\n"
               "            return\n"
               "        fi\n"
               "        applet=$words[2]\n"
               "        shift words\n"
               "        ((CURRENT--))\n"
               "    fi\n"
               "    case $applet in\n"
               "    --completion) compadd bash zsh fish ;;\n"
               "    help) compadd {} ;;\n"
               "    --install) _arguments '--force[replace what is in the way]' "
               "'*:directory:_directories' ;;",
               applet_names(applets));
    for (const auto& row : applets) {
        const auto declared = declarations_of(row);
        print("    " + std::string{row.name} + ")\n        _arguments -s -S");
        for (const auto& option : declared.options)
            print(" \\\n            " + zsh_specification(option));
        for (const auto& operand : declared.operands)
            print(
                " \\\n            " +
                quoted(fmt::format("{}:{}:_files", declared.repeats_operand ? "*" : ":", operand)));
        // Three colons limit $words to the command, so zsh offers none of our options after the
        // command has begun. After repeated operands, nobody knows where the command begins.
        if (declared.runs_command && !declared.repeats_operand)
            print(" \\\n            '(-)*:::command:_normal'");
        print(" ;;\n");
    }
    // This works both as an autoloaded function and as a script that is sourced.
    print_line("    esac\n"
               "}}\n"
               "if [[ $funcstack[1] == _ipcbox ]]; then\n"
               "    _ipcbox \"$@\"\n"
               "else\n"
               "    compdef _ipcbox ipcbox {}\n"
               "fi",
               applet_names(applets));
}

} // namespace ipcbox::cli
