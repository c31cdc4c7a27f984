# The fish completion really completes: fish is asked as the Tab key asks.
ipcbox --completion fish >script.fish; and fish -n script.fish; or exit 1
source script.fish 2>errors
set failures 0
if test -s errors
    cat errors
    set failures 1
end

# expect LINE WORD...: with the cursor at the end of LINE, the offers are exactly the WORDs.
function expect -a line
    set -l offers (complete -C $line | string replace -r '\t.*' '' | sort)
    set -l wanted (printf '%s\n' $argv[2..] | sort)
    test "$offers" = "$wanted"; and return
    echo "'$line' offers '$offers' instead of '$wanted'"
    set failures (math $failures + 1)
end

for applet in (ipcbox --list)
    expect "$applet --hel" --help
    expect "ipcbox $applet --hel" --help
    set -l part (string sub -e -1 $applet)
    expect "ipcbox $part" (ipcbox --list | string match "$part*")
end
expect 'ipcbox hel' help
expect 'ipcbox help sem-tak' sem-take
expect 'ipcbox --l' --list
expect 'ipcbox --completion z' zsh
expect 'ipcbox --install --f' --force
expect 'sem-take --non' --nonblock
expect 'sem-take --nonblock --ho' --hold-for
expect 'sem-take --wait 5s --non' --nonblock
expect 'sem-take --wait=5s --non' --nonblock
expect './sem-take --non' --nonblock
expect 'sem-take @key sem-give --non'
expect 'sem-take @key sem-giv' sem-give
expect 'sem-take -w 5 @key sem-giv' sem-give
expect 'sem-take -- sem-giv' sem-give
expect 'sem-take -w 5 @key -- sem-giv' sem-give
expect 'ipcbox sem-take -w 5 @key -- sem-giv' sem-give
expect 'sem-take @key sem-give --exit-stat' --exit-status
expect 'sem-give @key --non'
mkdir some-directory
expect 'sem-give some-' some-directory/
for offer in (complete -C 'ipcbox --install ') # fish's own directory is among them
    string match -qr '/\tDirectory$' -- $offer; and continue
    echo "'ipcbox --install ' offers '$offer', which is no directory"
    set failures (math $failures + 1)
end
expect 'ipcbox --install some-' some-directory/
expect 'ipcbox --install some-directory --f' --force
test $failures -eq 0
