#!/bin/sh
# relay.sh IPCBOX ENDS - the clients' relay beside socat and ncat: GB/s and nanoseconds of CPU for
# each KB, medians of interleaved runs. Targets, beside socat -b 1048576 -u, are in parentheses; for
# the CPU it is a third of the best peer's. Loopback and memory only; about a minute and a half.
set -eu
ipcbox=$1 ends=$2
runs=${RELAY_BENCH_RUNS:-3} mebibytes=${RELAY_BENCH_SIZE:-512}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

# The median of column $2 of file $1, for so much data.
median() { awk -v column="$2" '{ print $column }' "$1" | sort -n | sed -n "$((runs / 2 + 1))p"; }

row() { # TITLE FROM TO OURS SOCAT NCAT - the last three are words to be split
    title=$1 from=$2 to=$3
    rm -f "$directory"/*
    # Nobody needs the first run's numbers: it brings everything into memory.
    for run in $(seq 0 "$runs"); do
        for name in ours big small ncat; do
            case $name in
            ours) words="$ipcbox $4" ;;
            big) words="socat -b 1048576 -u $5" ;;
            small) words="socat -u $5" ;;
            ncat) words="ncat $6" ;;
            esac
            # shellcheck disable=SC2086
            "$ends" "$from" "$to" "$mebibytes" $words >"$directory/once" </dev/null ||
                echo 9999 9999 >"$directory/once"
            [ "$run" = 0 ] || cat "$directory/once" >>"$directory/$name"
        done
    done
    for name in ours big small ncat; do
        echo "$(median "$directory/$name" 1) $(median "$directory/$name" 2)"
    done | awk -v title="$title" -v mebibytes="$mebibytes" '
        { seconds[NR] = $1; cpu[NR] = $2; if (NR > 1 && (best == "" || $2 < best)) best = $2 }
        END {
            printf "%-30s", title
            for (at = 1; at <= NR; ++at) printf " %7.2f", mebibytes * 1.048576e-3 / seconds[at]
            printf "  %5.2f", seconds[2] / seconds[1]
            for (at = 1; at <= NR; ++at) printf " %6.0f", cpu[at] * 1e6 / mebibytes / 1.024 / 1.024
            printf "  %5.2f\n", cpu[1] / best
        }'
}

printf '%-30s %7s %7s %7s %7s  %5s %6s %6s %6s %6s  %5s\n' "$mebibytes MiB: GB/s and ns/KB" \
    ipcbox 'b 1M' socat ncat ratio ipcbox 'b 1M' socat ncat CPU
row 'Unix socket to a pipe (4)' unix pipe \
    'catsock-client @PLACE@' 'UNIX-CONNECT:@PLACE@ STDOUT' '-U --recv-only @PLACE@'
row 'Unix socket to /dev/null (2.5)' unix null \
    'catsock-client @PLACE@' 'UNIX-CONNECT:@PLACE@ STDOUT' '-U --recv-only @PLACE@'
row 'pipe to a Unix socket (1.8)' pipe unix \
    'catsock-client @PLACE@' 'STDIN UNIX-CONNECT:@PLACE@' '-U --send-only @PLACE@'
row 'file to a Unix socket (2.5)' file unix \
    'catsock-client @PLACE@' 'STDIN UNIX-CONNECT:@PLACE@' '-U --send-only @PLACE@'
row 'TCP to a pipe (1.8)' tcp pipe \
    'tcp-client 127.0.0.1 @PLACE@' 'TCP:127.0.0.1:@PLACE@ STDOUT' '--recv-only 127.0.0.1 @PLACE@'
row 'the same, tcp-interact (1.8)' tcp pipe \
    'tcp-interact -q 127.0.0.1 @PLACE@' 'TCP:127.0.0.1:@PLACE@ STDOUT' '--recv-only 127.0.0.1 @PLACE@'
