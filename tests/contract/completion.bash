# The bash completion really completes: the function is called as readline calls it.
script=$(ipcbox --completion bash) && bash -n <<<"$script" || exit 1
eval "$script"
failures=0

# expect "LINE" WORD...: with the cursor at the end of LINE, the offers are exactly the WORDs.
expect() {
    local line=$1 offers wanted
    shift
    COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
    # As bash splits it, at the characters of COMP_WORDBREAKS too.
    read -ra COMP_WORDS <<<"$(sed 's/[=@:]/ & /g' <<<"$line")"
    [[ $line == *[=\ ] ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _ipcbox
    offers=$(printf '%s\n' "${COMPREPLY[@]}" | sort | xargs)
    wanted=$(printf '%s\n' "$@" | sort | xargs)
    [[ $offers == "$wanted" ]] && return
    echo "'$line' offers '$offers' instead of '$wanted'"
    failures=$((failures + 1))
}

for applet in $(ipcbox --list); do
    expect "$applet --hel" --help
    expect "ipcbox $applet --hel" --help
    expect "/usr/bin/$applet --versi" --version
    expect "ipcbox ${applet:0:-1}" $(ipcbox --list | grep "^${applet:0:-1}")
    complete -p "$applet" >/dev/null || failures=$((failures + 1))
done
expect 'ipcbox hel' help
expect 'ipcbox help sem-tak' sem-take
expect 'ipcbox help sem-take sem-tak'
expect 'ipcbox --l' --list --list=full
expect 'ipcbox --list=' full
expect 'ipcbox --list=full '
expect 'ipcbox --completion ' bash fish zsh
expect 'ipcbox --completion z' zsh
expect 'ipcbox --install --f' --force
mkdir some-directory
expect 'ipcbox --install some-' some-directory
expect 'ipcbox --install '  --force some-directory
expect 'ipcbox no-such-applet --h'
expect 'sem-take --non' --nonblock
expect 'sem-take --nonblock --ho' --hold-for
expect 'sem-take --wait --non'                # that is the value
expect 'sem-take --wait=5s --non' --nonblock
expect 'sem-take --wait 5s --non' --nonblock
expect 'sem-take some-'                       # left to readline: a file
expect 'sem-take @key sem-giv' sem-give       # a command
expect 'sem-take -w 5 @key sem-giv' sem-give
expect 'sem-take -- sem-giv' sem-give
expect 'sem-take -w 5 @key -- sem-giv' sem-give
expect 'sem-take @key sem-give --hel'         # the command's own
expect 'sem-give @key sem-giv'                # it runs none
# A blank in quotes or behind a backslash ends no word; readline completes the file.
expect 'webget -F "a '
expect 'sem-take "a '
expect "sem-take 'a "
expect 'sem-take a\ '
expect 'sem-take "a \" b '
expect 'sem-take -w "5 s" --non' --nonblock
expect "sem-take 'a b' sem-giv" sem-give
expect 'sem-take a\ b sem-giv' sem-give
expect 'sem-take "a"'"'b c'"'d sem-giv' sem-give
# With bash-completion's helper the command completes as it would alone.
_command_offset() { COMPREPLY=("offset-$1"); }
expect 'sem-take -w 5 @key make al' offset-4
expect 'ipcbox sem-take -- make al' offset-3
exit $((failures > 0))
