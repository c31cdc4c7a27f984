#include "cli/completion.h"

#include "cli/options.h"
#include "cli/output.h"

#include <vector>

namespace ipcbox::cli {

namespace {

using Table = std::span<const AppletRow>;

struct BoxOption {
    std::string_view word;
    std::string_view text;
};
constexpr BoxOption box_options[] = {
    {"list", "print the names of the applets"},
    {"install", "make a symbolic link for each applet"},
    {"completion", "print a completion script"},
    {"help", "print the help"},
    {"version", "print the version"},
};

constexpr std::string_view help_text = "open the manual page of an applet";

std::string applet_names(Table applets) {
    std::string names;
    for (const auto& row : applets)
        names.append(names.empty() ? "" : " ").append(row.name);
    return names;
}

// Both names of an option, as typed: "-w --wait".
std::string typed(const OptionName& option) {
    std::string names = option.letter.empty() ? "" : "-" + option.letter;
    if (!option.word.empty()) names.append(names.empty() ? "--" : " --").append(option.word);
    return names;
}

// The options of which WANTED is true: "-w --wait -E --exit-status".
template <class Predicate> std::string joined(const Declared& declared, Predicate wanted) {
    std::string names;
    for (const auto& option : declared.options)
        if (wanted(option)) names.append(names.empty() ? "" : " ").append(typed(option));
    return names;
}

bool is_any(const OptionName&) {
    return true;
}
bool has_value(const OptionName& option) {
    return !option.value.empty();
}
bool has_path(const OptionName& option) {
    return option.value == "FILE" || option.value == "PATH" || option.value == "DIRECTORY";
}

// TEXT with a backslash before each of SPECIAL.
std::string escaped(std::string_view text, std::string_view special) {
    std::string result;
    for (const char byte : text) {
        if (special.find(byte) != std::string_view::npos) result += '\\';
        result += byte;
    }
    return result;
}

// TEXT between apostrophes, for a POSIX shell.
std::string quoted(std::string_view text) {
    std::string result{"'"};
    for (const char byte : text)
        result.append(byte == '\'' ? "'\\''" : std::string(1, byte));
    return result + "'";
}

// Bash makes words of "@", "=" and ":" too (COMP_WORDBREAKS): "--wait=5 @key" is five words. So we
// split the line again, as the shell does: a blank between quotes or behind a backslash does not
// end a word.
constexpr std::string_view bash_start =
    R"bash(# bash completion for ipcbox, from ipcbox --completion bash
_ipcbox() {
    local line=${COMP_LINE:0:COMP_POINT} words=() last i=1 q=\'
    local rest=$line piece='([^[:blank:]"'$q'\]|\\.?|"([^"\]|\\.)*("|\\?$)|'$q'[^'$q']*('$q'|$))+'
    while [[ $rest =~ ^[[:blank:]]*($piece) ]]; do
        words+=("${BASH_REMATCH[1]}")
        rest=${rest:${#BASH_REMATCH}}
    done
    [[ $rest ]] && words+=('')
    last=$((${#words[@]} - 1))
    local word=${words[last]} applet=${words[0]##*/}
    local options= with_value= operands=0 runs_command= command=
    COMPREPLY=()
    if [[ $applet == ipcbox* ]]; then
        applet=${words[1]} i=2
        [[ $last == 1 && $word != --list=* ]] && applet=
    fi
    case $applet in
)bash";
constexpr std::string_view bash_end =
    R"(    --list=*) ((last == 1)) && COMPREPLY=($(compgen -W full -- "${word#*=}")); return ;;
    --install) COMPREPLY=($(compgen -W --force -- "$word"; compgen -d -- "$word")); return ;;
    --completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$word")); return ;;
    *) return ;;
    esac
    for (( ; i < last; i++)); do
        case ${words[i]} in
        --) command=$((i + 1)); break ;;
        -*) [[ " $with_value " == *" ${words[i]} "* ]] && ((i++)) ;;
        *) ((operands-- == 0)) && command=$i && break ;;
        esac
    done
    if [[ -z $command && $i == "$last" ]]; then
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W "$options" -- "$word"))
            return
        fi
        ((operands == 0)) && command=$last
    fi
    if [[ $runs_command && $command ]]; then
        if declare -F _command_offset >/dev/null; then
            local COMP_WORDS=("${words[@]}") COMP_CWORD=$last
            _command_offset "$command"
        elif ((command == last)); then
            COMPREPLY=($(compgen -c -- "$word"))
        fi
    fi
}
)";

// How many operands come before a command; -1, which no countdown meets, when only "--" ends them.
int operand_count(const Declared& declared) {
    return declared.repeats_operand ? -1 : static_cast<int>(declared.operands.size());
}

void print_bash(Table applets) {
    std::string words;
    for (const auto& option : box_options)
        words.append(fmt::format("--{} ", option.word));
    print(bash_start);
    print_line("    '') COMPREPLY=($(compgen -W '{}--list=full help {}' -- \"$word\")); return ;;",
               words, applet_names(applets));
    print_line("    help) ((last == 2)) && COMPREPLY=($(compgen -W '{}' -- \"$word\")); return ;;",
               applet_names(applets));
    for (const auto& row : applets) {
        const auto declared = declarations_of(row);
        print_line("    {})\n"
                   "        options='{}'\n"
                   "        with_value='{}' operands={} runs_command={} ;;",
                   row.name, joined(declared, is_any), joined(declared, has_value),
                   operand_count(declared), declared.runs_command ? "yes" : "");
    }
    print(bash_end);
    // Where we offer nothing, bash offers files.
    print_line("complete -o default -F _ipcbox ipcbox {}", applet_names(applets));
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
    return fmt::format("'*'{{{},{}}}{}", letter, word, quoted(tail));
}

void print_zsh(Table applets) {
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
        // Three colons limit $words to the command, so none of our options is offered behind its
        // start. Behind repeated operands the start of a command is unknown.
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

void print_fish(Table applets) {
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
            fmt::format("{} {} {}", row.name, operand_count(declared), joined(declared, has_value));
        const auto print_both = [&row](const std::string& rest) {
            print_line("complete -c {} {}", row.name, rest);
            print_line("complete -c ipcbox {}", rest);
        };
        for (const auto& option : declared.options) {
            auto rest = fmt::format("-n '__ipcbox_options {}'", shape);
            if (!option.letter.empty()) rest += fmt::format(" -s {}", option.letter);
            if (!option.word.empty()) rest += fmt::format(" -l {}", option.word);
            if (has_value(option)) rest += has_path(option) ? " -r" : " -x";
            print_both(fmt::format("{} {}", rest, text(option.text)));
        }
        if (declared.runs_command)
            print_both(fmt::format("-a '(__ipcbox_complete_command {})'", shape));
    }
}

} // namespace

void print_completion(Table applets, std::string_view shell) {
    if (shell == "bash") return print_bash(applets);
    if (shell == "zsh") return print_zsh(applets);
    if (shell == "fish") return print_fish(applets);
    throw UsageError(fmt::format("--completion '{}': expected bash, zsh or fish", shell));
}

} // namespace ipcbox::cli
