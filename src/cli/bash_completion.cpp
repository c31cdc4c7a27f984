#include "cli/completion_words.h"
#include "cli/output.h"

namespace ipcbox::cli {

namespace {

// Bash also treats "@", "=" and ":" as words (COMP_WORDBREAKS): "--wait=5 @key" is five words. So
// we split the line again, as the shell does: a blank between quotes or after a backslash does not
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

} // namespace

void print_bash_completion(std::span<const AppletRow> applets) {
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
                   row.name, option_names(declared), names_with_value(declared),
                   operand_count(declared), declared.runs_command ? "yes" : "");
    }
    print(bash_end);
    // Where we offer nothing, bash offers files.
    print_line("complete -o default -F _ipcbox ipcbox {}", applet_names(applets));
}

} // namespace ipcbox::cli
