# The zsh completion really completes: an interactive zsh on a pty is given a line and a Tab.
zmodload zsh/zpty || exit 1
mkdir functions
ipcbox --completion zsh >functions/_ipcbox && zsh -n functions/_ipcbox || exit 1
typeset -i failures=0

# Instead of inserting what it finds, the completion prints it between two marks.
cat >start.zsh <<'END'
PS1= PS2=
stty -echo
fpath=($PWD/functions $fpath)
autoload -U compinit
compinit -u -D
zstyle ':completion:*' list-colors no=
zstyle ':completion:*' verbose no
LISTMAX=1000
compadd() {
    # With -O, -A or -D it only sorts words into arrays.
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
        local -a found
        builtin compadd -O found "$@"
        offers+=($found)
    fi
    builtin compadd "$@"
}
offer() {
    offers=()
    zle list-offers
    print -r -- "<${(j: :)${(@ou)offers}}>"
    BUFFER=
}
zle -C list-offers list-choices _main_complete
zle -N offer
bindkey '^I' offer
print ready
END
zpty shell zsh -f -i
zpty -w shell 'source ./start.zsh'
zpty -r shell answer '*ready*' || exit 1

# expect LINE WORD...: with the cursor at the end of LINE, the offers are exactly the WORDs.
expect() {
    local line=$1 answer wanted
    shift
    zpty -n -w shell "$line"$'\t'
    zpty -r shell answer '*<*>*'
    answer=${${answer##*<}%%>*}
    wanted="${(ou)@}"
    [[ $answer == "$wanted" ]] && return
    print -r -- "'$line' offers '$answer' instead of '$wanted'"
    failures+=1
}

for applet in $(ipcbox --list); do
    expect "$applet --hel" --help
    expect "ipcbox $applet --hel" --help
    expect "ipcbox ${applet[1,-2]}" ${(M)$(ipcbox --list):#${applet[1,-2]}*}
done
# Another letter can follow -#, which would be a pattern without quotes.
zpty -n -w shell 'webget -#'$'\t'
zpty -r shell answer '*<*>*'
[[ $answer == *' -#v '* ]] || { print "'webget -#' does not offer -#v"; failures+=1 }
expect 'ipcbox --l' --list --list=full
expect 'ipcbox --completion z' zsh
expect 'ipcbox --install --f' --force
expect 'sem-take --non' --nonblock
expect 'sem-take --nonblock --ho' --hold-for
expect 'sem-take --wait 5s --non' --nonblock
expect 'sem-take --wait=5s --non' --nonblock
expect 'sem-take -- --non'
expect 'sem-take @key sem-giv' sem-give
expect 'sem-take -w 5 @key sem-giv' sem-give
expect 'sem-take -w 5 @key -- sem-giv' sem-give
expect 'ipcbox sem-take -w 5 @key -- sem-giv' sem-give
expect 'sem-take @key sem-give --exit-stat' --exit-status
expect 'sem-give @key --non'
mkdir some-directory
expect 'ipcbox --install some-' some-directory
expect 'sem-take "a b" sem-giv' sem-give
zpty -d shell
exit $((failures > 0))
