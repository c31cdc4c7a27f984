#include "cli/completion_words.h"
#include "cli/output.h"

namespace ipcbox::cli {

namespace {

constexpr std::string_view fish_start =
    R"(# fish completion for ipcbox, from ipcbox --completion fish

# The cursor is in the first word behind ipcbox.
function __ipcbox_is_first
    test (count (commandline -opc)) -eq 1
end

# The cursor is in the word behind "ipcbox help".
function __ipcbox_wants_help
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test $words[2] = help
end

# __ipcbox_command APPLET OPERANDS [OPTION...]: prints the command that APPLET is told to run, up to the
# cursor. Fails when it is not APPLET's line. OPTIONs are those that have a value.
function __ipcbox_command -a applet operands
    set -l words (commandline -opc)
    set words[1] (string replace -r '.*/' '' -- $words[1])
    string match -q 'ipcbox*' -- $words[1]; and set -e words[1]
    test "$words[1]" = $applet; or return 1
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case --
                set -e words[1]
                set operands 0
                break
            case '-*'
                contains -- $words[1] $argv[3..]; and set -e words[1]
            case '*'
                test $operands -eq 0; and break
                set operands (math $operands - 1)
        end
        set -e words[1]
    end
    test $operands -eq 0; and string escape -- $words (commandline -ct)
    return 0
end

# The cursor is among APPLET's own words.
function __ipcbox_options
    set -l command (__ipcbox_command $argv); or return 1
    test (count $command) -le 1; and not contains -- -- (commandline -opc)
end

function __ipcbox_complete_command
    set -l command (__ipcbox_command $argv); and set -q command[1]
    and complete "-C$command"
end
)";

} // namespace

void print_fish_completion(std::span<const AppletRow> applets) {
    const auto text = [](std::string_view words) {
        return fmt::format("-d '{}'", escaped(words, "\\'"));
    };
    print(fish_start);
    constexpr std::string_view first = "complete -c ipcbox -n __ipcbox_is_first";
    for (const auto& option : box_options)
        print_line("{} -l {} {}", first, option.word, text(option.text));
    print_line("complete -c ipcbox -n '__fish_contains_opt completion' -x -a 'bash zsh fish'\n"
               "complete -c ipcbox -n '__fish_contains_opt install' -x "
               "-a '(__fish_complete_directories)'\n"
               "complete -c ipcbox -n '__fish_contains_opt install' -l force {}",
               text("replace what is in the way"));
    for (const auto& row : applets)
        print_line("{} -x -a {} {}", first, row.name, text(row.applet->summary));
    print_line("{} -x -a help {}\n"
               "complete -c ipcbox -n __ipcbox_wants_help -x -a '{}'",
               first, text(help_text), applet_names(applets));
    for (const auto& row : applets) {
        const auto declared = declarations_of(row);
        const auto shape =
            fmt::format("{} {} {}", row.name, operand_count(declared), names_with_value(declared));
        const auto print_both = [&row](const std::string& rest) {
            print_line("complete -c {} {}", row.name, rest);
            print_line("complete -c ipcbox {}", rest);
        };
        for (const auto& option : declared.options) {
            auto rest = fmt::format("-n '__ipcbox_options {}'", shape);
            if (!option.letter.empty()) rest += fmt::format(" -s '{}'", option.letter);
            if (!option.word.empty()) rest += fmt::format(" -l {}", option.word);
            if (has_value(option)) rest += has_path(option) ? " -r" : " -x";
            print_both(fmt::format("{} {}", rest, text(option.text)));
        }
        if (declared.runs_command)
            print_both(fmt::format("-a '(__ipcbox_complete_command {})'", shape));
    }
}

} // namespace ipcbox::cli
