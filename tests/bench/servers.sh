#!/bin/sh
# Connections per second, and the slowest percent, beside the servers that people use. Each round
# measures all of them one after the other; what is printed is the median of the rounds.
# Usage: servers.sh IPCBOX CONNECTION_LOAD ANSWER
set -eu
ipcbox=$(realpath "$1") load=$(realpath "$2") answer=$(realpath "$3")
rounds=${ROUNDS:-3}
total=${TOTAL:-2000} # connections in each round
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT
trap "exit 1" INT TERM
cd "$work"
for name in forking-tcp-server tcp-server catsock-server; do ln -s "$ipcbox" $name; done

has() { command -v "$1" >/dev/null; }

# A port that nobody has at the moment, for peers that cannot choose one.
free_port() {
    rm -f port
    ./tcp-server --notify-fd 3 -q 127.0.0.1:0 3>port & chooser=$!
    until [ -s port ]; do kill -0 $chooser || return 1; done
    sed 's/.*://' port
    kill $chooser
    wait $chooser || :
}
answers() { "$load" "$1" 1 1 >/dev/null 2>&1; }

# start NAME PROGRAM... - starts a server, and sets $where to where it listens.
start() {
    kind=$1
    shift
    : >ready
    case $kind in
    forking) ./forking-tcp-server -q --notify-fd 3 -c 1000 127.0.0.1:0 -- "$@" 3>ready & ;;
    greeting) ./tcp-server -q --notify-fd 3 -c 1000 127.0.0.1:0 3>ready & ;;
    catsock) ./catsock-server -q --notify-fd 3 -c 1000 ./ours.sock -- "$@" 3>ready & ;;
    tcpserver) tcpserver -1 -HRl0 -c 1000 -b 4096 127.0.0.1 0 "$@" >ready & ;;
    s6) s6-ipcserver -1 -c 1000 -b 4096 ./s6.sock "$@" 3>ready & ;;
    unixserver) unixserver -q -c 1000 -b 4096 ./unix.sock "$@" & ;;
    *)
        where=$(free_port)
        case $kind in
        socat) socat "TCP-LISTEN:$where,bind=127.0.0.1,reuseaddr,fork,backlog=4096" "EXEC:$*" & ;;
        ncat) ncat -l 127.0.0.1 "$where" -k -m 1000 -e "$1" & ;;
        busybox) busybox nc -ll -p "$where" -e "$@" & ;;
        inetd)
            echo "127.0.0.1:$where stream tcp nowait.10000000 $(id -un) $*" >inetd.conf
            inetd -i inetd.conf &
            ;;
        daytime)
            echo "127.0.0.1:daytime stream tcp nowait.10000000 root internal" >inetd.conf
            inetd -i inetd.conf &
            where=13
            ;;
        file)
            echo "Hello there, it's about now" >greeting
            socat -U "TCP-LISTEN:$where,bind=127.0.0.1,reuseaddr,fork,backlog=4096" \
                OPEN:greeting,rdonly &
            ;;
        esac
        ;;
    esac
    server=$!
    case $kind in
    forking | greeting | tcpserver)
        until [ -s ready ]; do kill -0 $server || return 1; done
        where=$(sed 's/.*://' ready)
        ;;
    catsock) where=./ours.sock ;;
    s6) where=./s6.sock ;;
    unixserver) where=./unix.sock ;;
    esac
    for attempt in $(seq 1000); do
        if answers "$where"; then return; fi
        kill -0 $server || return 1
    done
    return 1
}
stop() {
    kill "$server" 2>/dev/null || :
    wait "$server" 2>/dev/null || :
    server=
    rm -f ./*.sock
}

median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

# table TITLE CLIENTS CONNECTIONS KIND... -- PROGRAM...
table() {
    title=$1 clients=$2 connections=$3
    shift 3
    kinds=
    while [ "$1" != -- ]; do
        kinds="$kinds $1"
        shift
    done
    shift
    rm -f figures.*
    for round in $(seq "$rounds"); do
        for kind in $kinds; do
            if start "$kind" "$@" 2>/dev/null; then
                timeout 10 "$load" "$where" "$clients" "$connections" >>"figures.$kind" || # hangs
                    echo '0 0 0 all' >>"figures.$kind"
            else
                echo "$kind does not start"
            fi
            stop
        done
    done
    printf '\n%s, %d at once\n%10s %10s %10s %6s %7s\n' "$title" "$clients" \
        'a second' 'p50 us' 'p99 us' lost ratio
    ours=
    for kind in $kinds; do
        [ -f "figures.$kind" ] || continue
        rate=$(cut -d' ' -f1 "figures.$kind" | median)
        ours=${ours:-$rate}
        printf '%10s %10s %10s %6s %7s %s\n' "$rate" \
            "$(cut -d' ' -f2 "figures.$kind" | median)" \
            "$(cut -d' ' -f3 "figures.$kind" | median)" \
            "$(cut -d' ' -f4 "figures.$kind" | median)" \
            "$(awk -v a="$ours" -v b="$rate" 'BEGIN { printf("%.2f", (b > 0) ? a / b : 0) }')" "$kind"
    done
}

peers=
for peer in tcpserver busybox inetd socat ncat; do
    if has $peer; then peers="$peers $peer"; else echo "$peer is not installed: not compared"; fi
done
best=
if has tcpserver; then best=tcpserver; fi
# The other two lose connections as soon as several come at once.
lossless=$(echo "$peers" | sed 's/ncat//; s/busybox//')
unix_peers=
for peer in s6-ipcserver:s6 unixserver:unixserver; do
    if has ${peer%:*}; then unix_peers="$unix_peers ${peer#*:}"; fi
done

# shellcheck disable=SC2086 # lists of words
{
    table 'A small static program (level with the fastest)' 1 $total forking $peers -- "$answer"
    for clients in 16 64; do
        table 'A small static program (>= 1.5 x the best that drops nothing)' $clients $total \
            forking $lossless -- "$answer"
    done
    table 'A small static program' 256 $total forking $best -- "$answer"
    table '/bin/echo (>= 1.2 x)' 16 $total forking $best -- /bin/echo hello
    without_exec=
    if has socat; then without_exec=file; fi
    if has inetd && [ "$(id -u)" = 0 ]; then without_exec="$without_exec daytime"; fi
    for clients in 1 16 64; do
        table 'A greeting without exec (>= 3 x)' $clients 5000 greeting $without_exec -- none
    done
    for clients in 1 16 64; do
        table 'Unix socket, a small static program' $clients "${TOTAL:-3000}" catsock $unix_peers \
            -- "$answer"
    done
}

memory() { awk '/^VmRSS/ { print $2 }' "/proc/$server/status"; }
start greeting
before=$(memory)
"$load" "$where" 16 200000 >/dev/null
printf '\nMemory over 200 000 connections: %s kB before, %s kB after\n' "$before" "$(memory)"
stop
