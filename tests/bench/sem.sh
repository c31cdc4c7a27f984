#!/bin/sh
# sem.sh IPCBOX SPAWN_TIMES - the semaphore applets beside their peers, in one run of less than a
# minute. Prints a table of medians; targets are in parentheses.
. "$(dirname "$0")/common.sh"

ipcbox=$(realpath "$1")
times=$(realpath "$2")
directory=$(mktemp -d)
key=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
trap 'ipcrm -S "$key" 2>/dev/null; rm -rf "$directory"' EXIT
cd "$directory"
export HOME="$directory" # where GNU sem keeps its locks
"$ipcbox" --install .
./sem-create "$key" >set
: >lock

if has flock; then
    title 'Run a command (flock >= 1.4 x sem-take)'
    "$times" 600 ./sem-take "$key" /bin/true -- flock lock /bin/true -- /bin/true
fi

if has sem; then
    title 'Run a command (GNU sem >= 60 x sem-take)'
    "$times" 15 ./sem-take "$key" /bin/true -- sem --id bench --fg /bin/true
fi

# hand_off WAITING RELEASE COMMAND... - microseconds from the moment at which 50 COMMANDs wait to
# the end of the last. WAITING prints how many wait, RELEASE lets the first of them in.
hand_off() {
    waiting=$1
    release=$2
    shift 2
    for waiter in $(seq 50); do
        "$@" 9>&- &
    done
    until [ "$($waiting)" -eq 50 ]; do :; done
    start=$(date +%s%N)
    $release
    wait
    echo $((($(date +%s%N) - start) / 1000))
}
sem_waiters() { ipcs -s -i "$(cat set)" | awk '$1 == 0 { print $4 }'; }
flock_waiters() { grep -c -- "-> FLOCK.*:$(stat -c %i lock) " /proc/locks || :; }
median() { sort -n "$1" | sed -n 4p; }

if has flock; then
    exec 9>lock
    for round in 1 2 3 4 5 6 7; do
        ./sem-take "$key"
        hand_off sem_waiters "./sem-give $key" ./sem-take "$key" /bin/true >>sem-times
        flock 9
        hand_off flock_waiters 'flock -u 9' flock lock /bin/true >>flock-times
    done
    printf '\nHand-off through 50 waiters (flock >= 1.00 x sem-take)\n'
    printf '%10d us %38s\n' "$(median sem-times)" sem-take
    printf '%10d us %24s %4d %% %s\n' "$(median flock-times)" '' \
        $(($(median flock-times) * 100 / $(median sem-times))) 'of that: flock'
fi
