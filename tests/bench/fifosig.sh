#!/bin/sh
# fifosig.sh IPCBOX LOAD - fifosig beside the shell loop of the manual page (without its sleep): whole
# documents per second with 1, 8 and 32 readers. Interleaved runs, medians.
set -eu
ipcbox=$1 load=$2
runs=5 seconds=0.5 bytes=400
directory=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -KILL $server; rm -rf "$directory"' EXIT
fifo=$directory/sig
line=$(printf "%$((bytes - 1))s" x)

# Each prints "PER_SECOND WHOLE EMPTY WRONG HUNG".
measure_loop() {
    mkfifo "$fifo"
    (
        trap '' PIPE
        while [ -p "$fifo" ] || mkfifo "$fifo"; do printf '%s\n' "$line" >"$fifo" || :; done
    ) 2>/dev/null &
    server=$!
    "$load" "$fifo" "$1" "$seconds" "$bytes"
    kill -KILL $server || :
    wait $server 2>/dev/null || :
    server=
    rm -f "$fifo"
}

measure_fifosig() {
    mkfifo "$directory/ready"
    "$ipcbox" fifosig -s "$line" "$fifo" 2>"$directory/ready" &
    server=$!
    read -r ready <"$directory/ready"
    rm "$directory/ready"
    "$load" "$fifo" "$1" "$seconds" "$bytes"
    kill $server || :
    wait $server 2>/dev/null || :
    server=
}

# The median of column $2 of file $1.
median() { awk -v column="$2" '{ print $column }' "$1" | sort -n | sed -n "$((runs / 2 + 1))p"; }

printf '%-8s %12s %12s %7s %12s %12s %6s\n' readers 'loop/s' 'fifosig/s' ratio 'loop whole' \
    'fifosig' hung
for readers in 1 8 32; do
    : >"$directory/loop"
    : >"$directory/fifosig"
    for run in $(seq $runs); do
        measure_loop "$readers" >>"$directory/loop"
        measure_fifosig "$readers" >>"$directory/fifosig"
    done
    loop=$(median "$directory/loop" 1)
    ours=$(median "$directory/fifosig" 1)
    printf '%-8s %12s %12s %7s %11s%% %11s%% %6s\n' "$readers" "$loop" "$ours" \
        "$(awk -v a="$ours" -v b="$loop" 'BEGIN { printf "%.2f", a / (b > 0 ? b : 1) }')" \
        "$(median "$directory/loop" 2)" "$(median "$directory/fifosig" 2)" \
        "$(awk '{ hung += $5 } END { print hung }' "$directory/fifosig")"
done
