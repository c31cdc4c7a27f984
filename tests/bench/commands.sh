#!/bin/sh
# commands.sh IPCBOX NOTHING - command-server on one connection that asks for one command after the
# other: built-in ones, and a static program that ends at once beside inetd with a shell that does the
# same. Prints medians; targets are in parentheses. ROUNDS and TOTAL (commands) shorten it.
. "$(dirname "$0")/common.sh"

ipcbox=$(realpath "$1")
nothing=$(realpath "$2")
total=${TOTAL:-5000}
enter "$ipcbox"
servers=
finish() {
    for server in $servers; do kill "$server" 2>/dev/null || :; done
    rm -rf "$directory"
}
trap finish EXIT
trap 'exit 1' INT TERM

# The port of a server that was started with --notify-fd 3 3>ready.
port() {
    until [ -s ready ]; do kill -0 "$1" || return 1; done
    head -n 1 ready | sed 's/.*://'
}

: >ready
./command-server --notify-fd 3 127.0.0.1:0 --command "nothing=$nothing" 3>ready 2>/dev/null &
servers=$!
ours=$(port $!)

# ask COMMAND COUNT PORT - the line that asks for it, and reads all answers.
ask() {
    echo "yes $1 | head -n $2 | ./tcp-client 127.0.0.1 $3"
}

many=$((total * 20))
rm -f ms
for round in $(seq "$rounds"); do
    milliseconds "$(ask date "$many" "$ours")" >>ms
done
printf '\nBuilt-in commands on one connection (10 000 a second)\n'
awk -v ms="$(median ms)" -v count="$many" \
    'BEGIN { printf "%14d a second   command-server\n", count * 1000 / (ms > 0 ? ms : 1) }'

if has inetd; then
    cat >shell <<END
#!/bin/sh
while read -r name; do
    case \$name in
    nothing) $nothing ;;
    esac
done
END
    chmod +x shell
    # A port that nobody has at the moment.
    : >ready
    ./tcp-server --notify-fd 3 -q 127.0.0.1:0 3>ready &
    chooser=$!
    theirs=$(port "$chooser")
    kill "$chooser"
    wait "$chooser" || :
    echo "127.0.0.1:$theirs stream tcp nowait.1000000 $(id -un) $directory/shell" >inetd.conf
    inetd -i inetd.conf &
    servers="$servers $!"
    peer=$!
    until : | ./tcp-client -q 127.0.0.1 "$theirs" >/dev/null 2>&1; do kill -0 "$peer"; done
    compare "$total external commands on one connection (inetd and a shell >= 1.5 x command-server)" \
        command-server "$(ask nothing "$total" "$ours")" \
        'inetd and sh' "$(ask nothing "$total" "$theirs")"
fi
