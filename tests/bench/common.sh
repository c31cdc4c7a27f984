# shellcheck shell=sh
# common.sh - what the benchmark scripts share. A script sources it before it leaves its directory:
#
#     . "$(dirname "$0")/common.sh"
#
# ROUNDS shortens every script, or makes it more exact.
set -eu

rounds=${ROUNDS:-5}

# enter IPCBOX - a new working directory, with all applets in it; it is removed at the end.
enter() {
    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    cd "$directory"
    "$1" --install .
}

# has PROGRAM - whether a peer is here; says when it is not.
has() {
    command -v "$1" >/dev/null || { echo "$1 is not installed: not compared"; return 1; }
}

# title TEXT - above the lines of spawn_times.
title() {
    printf '\n%s\n%13s %13s %10s   %s\n' "$1" median 'best tenth' ratio command
}

# milliseconds COMMAND_LINE - how long it takes.
milliseconds() {
    start=$(date +%s%N)
    bash -c "$1" </dev/null >/dev/null
    echo $((($(date +%s%N) - start) / 1000000))
}

# median FILE - of its lines, which are numbers.
median() { sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"; }

# compare TITLE NAME COMMAND_LINE [NAME COMMAND_LINE]... - medians of interleaved rounds, as ratios
# to the first.
compare() {
    printf '\n%s\n%14s %8s   %s\n' "$1" ms ratio command
    shift
    rm -f ms.*
    for round in $(seq "$rounds"); do
        index=0
        for word; do
            index=$((index + 1))
            [ $((index % 2)) = 1 ] || milliseconds "$word" >>"ms.$index"
        done
    done
    first='' index=0
    for word; do
        index=$((index + 1))
        if [ $((index % 2)) = 1 ]; then
            name=$word
            continue
        fi
        median=$(median "ms.$index")
        first=${first:-$median}
        awk -v ms="$median" -v first="$first" -v name="$name" \
            'BEGIN { printf "%14d %8.2f   %s\n", ms, ms / (first > 0 ? first : 1), name }'
    done
}
