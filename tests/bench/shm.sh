#!/bin/sh
# shm.sh IPCBOX MEMORY_ENDS - the shared memory applets beside cp and pipes: milliseconds and GB/s,
# medians of interleaved runs. Targets are in parentheses. Needs 3 GiB of memory for 1 GiB of data.
set -eu

ipcbox=$(realpath "$1") ends=$(realpath "$2")
runs=3 size=${SHM_BENCH_SIZE:-1G}
directory=$(mktemp -d)
memory=$(mktemp -d /dev/shm/ipcbox-bench-XXXXXX)
key=$((0x10000000 + $$))
trap 'rm -rf "$directory" "$memory"; remove' EXIT
cd "$directory"

clock() { # COMMAND... - how many milliseconds it takes
    start=$(date +%s%N)
    "$@" >/dev/null
    echo $((($(date +%s%N) - start) / 1000000))
}
forget() { rm -f out "$memory/copy"; }

copy_there_and_back() { cp in "$memory/copy" && cp "$memory/copy" out; }
segment_there_and_back() {
    "$ipcbox" shm-write --create "$key" <in && "$ipcbox" shm-read "$key" >out
}
pipe() { cat in | cat >/dev/null; }
pipe_in() { cat in | "$ipcbox" shm-write "$key"; }
pipe_out() { "$ipcbox" shm-read "$key" | cat; }
remove() {
    ipcrm -M "$key" 2>/dev/null || :
}
median() { sort -n "$1" | sed -n "$((runs / 2 + 1))p"; }
row() { # NAME OURS THEIRS
    awk -v name="$1" -v ours="$(median "$2")" -v theirs="$(median "$3")" \
        'BEGIN { printf "%-46s %6d ms %6d ms %6.2f\n", name, ours, theirs, theirs / ours }'
}

head -c "$size" /dev/urandom >in
: >cp_ms; : >shm_ms; : >pipe_ms; : >in_ms; : >out_ms
# The first copy brings everything into the page cache, and the machine its memory.
copy_there_and_back
for run in $(seq "$runs"); do
    forget
    clock copy_there_and_back >>cp_ms
    forget
    clock segment_there_and_back >>shm_ms
    cmp in out
    clock pipe >>pipe_ms
    clock pipe_in >>in_ms
    clock pipe_out >>out_ms
    remove
done
printf '%-46s %9s %9s %6s\n' "$size of random bytes" ipcbox peer ratio
row "file to file, beside cp to /dev/shm (> 1)" shm_ms cp_ms
row 'from a pipe, beside cat | cat (>= 1)' in_ms pipe_ms
row 'to a pipe, beside cat | cat (>= 1)' out_ms pipe_ms

echo 'Stream between two memory-mapped files (>= 5 x the pipe)'
forget
for mebibytes in 1 16 64; do "$ends" "$memory" "$mebibytes" 5; done
