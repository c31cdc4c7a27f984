#!/bin/sh
# processes.sh IPCBOX SPAWN_TIMES NOTHING - the applets that run, signal and wait for processes beside
# their peers, in one run of about a minute, around a static program that ends at once. Prints tables
# of medians; targets are in parentheses.
. "$(dirname "$0")/common.sh"

ipcbox=$(realpath "$1")
times=$(realpath "$2")
nothing=$(realpath "$3")
enter "$ipcbox"
: >lock

if has timeout; then
    title 'With a time limit (timeout >= 1.4 x timeout-run)'
    "$times" 600 ./timeout-run 10 "$nothing" -- timeout 10 "$nothing" -- "$nothing"
fi
if has flock; then
    title 'With a lock (flock >= 1.4 x lock-run)'
    "$times" 600 ./lock-run lock "$nothing" -- flock lock "$nothing" -- "$nothing"
fi
if has env; then
    title 'With a signal ignored (env >= 1.4 x signal-run)'
    "$times" 600 ./signal-run --ignore HUP "$nothing" \
        -- env --ignore-signal=HUP "$nothing" -- nohup "$nothing" -- "$nothing"
fi
if [ -x ./reap-run ] && has tini && has dumb-init; then
    title 'As an init process (tini and dumb-init >= 1.3 x reap-run)'
    "$times" 600 ./reap-run "$nothing" -- tini -s "$nothing" -- dumb-init "$nothing" -- "$nothing"
fi

if [ -x ./daemon-run ] && has start-stop-daemon; then
    title 'As a daemon, until its number is known (start-stop-daemon -b >= 3.0 x daemon-run)'
    "$times" 600 ./daemon-run --settle 0 "$nothing" \
        -- start-stop-daemon --start --background --exec "$nothing" -- "$nothing"
fi

# A shell with a thousand children, which wait for the end of a FIFO.
mkfifo end ready
exec 9<>end
# shellcheck disable=SC2016
start_tree() {
    sh -c 'count=0
        while [ "$count" -lt 1000 ]; do
            (exec 9>&-; read -r line <end) &
            echo $! >>pids
            count=$((count + 1))
        done
        echo >ready
        wait' &
    root=$!
    read -r line <ready
}
# cpu COMMAND... - its CPU time and its time.
cpu() {
    bash -c 'TIMEFORMAT="%U s of user time, %S s of system time, %R s"; time "$@" >/dev/null 2>&1 || :' \
        bash "$@"
}
: >pids
start_tree
printf '\nLook at 1000 processes until time is up (<= 5 ms of CPU)\n'
# shellcheck disable=SC2046
cpu ./process-wait -qet 0.01 $(cat pids)
if [ -x ./signal-show ]; then
    title 'Signals of all processes (ps axs >= 1.0 x signal-show)'
    "$times" 20 ./signal-show --all -- ps axs
fi
printf '\nKill a tree of 1000 processes (<= 20 ms)\n'
cpu ./signal-send -KILL --tree "$root"
wait
