#!/bin/bash
# pipes.sh IPCBOX SPAWN_TIMES NOTHING - the applets about pipes beside their peers, in one run of about
# a minute. Prints tables of medians; targets are in parentheses. ROUNDS and SIZE (in MiB) shorten it.
. "$(dirname "$0")/common.sh"

ipcbox=$(realpath "$1")
times=$(realpath "$2")
nothing=$(realpath "$3")
size=${SIZE:-1024}
enter "$ipcbox"

printf '\nTwo tiny programs (bash and mispipe >= 1.3 x pipe-run)\n'
peers=(-- bash -c "set -o pipefail; $nothing | $nothing")
if has mispipe; then peers+=(-- mispipe "$nothing" "$nothing"); fi
"$times" $((rounds * 100)) ./pipe-run "$nothing" --then "$nothing" "${peers[@]}"

head -c "${size}M" /dev/zero >data
compare "$size MiB through three cats (bash >= 1.0 x pipe-run)" \
    pipe-run './pipe-run -i data -- cat --then cat --then cat' \
    bash 'cat <data | cat | cat'
# The second table is without what it takes to write a file, which is the same for both.
compare "$size MiB with a copy to a file (tee >= 2 x pipe-run --tee)" \
    'pipe-run --tee' './pipe-run -i data --tee 1=copy -- cat --then cat' \
    tee 'cat <data | tee copy | cat'
compare "$size MiB with a copy to /dev/null (tee >= 2 x pipe-run --tee)" \
    'pipe-run --tee' './pipe-run -i data --tee 1=/dev/null -- cat --then cat' \
    tee 'cat <data | tee /dev/null | cat'
if has sponge; then
    compare "$size MiB into a file, from a pipe (sponge >= 1.5 x safe-write)" \
        safe-write 'cat data | ./safe-write --any-directory copy' \
        sponge 'cat data | sponge copy'
fi
rm -f copy
compare "$size MiB twice to /dev/null (cat >= 1.0 x magic-cat)" \
    magic-cat './magic-cat data data' cat 'cat data data'
compare "$size MiB to a pipe (cat >= 1.0 x magic-cat)" \
    magic-cat './magic-cat data | cat >/dev/null' cat 'cat data | cat >/dev/null'
compare "$size MiB to a file (cat >= 1.0 x magic-cat)" \
    magic-cat './magic-cat data >copy' cat 'cat data >copy'
if has perl; then
    rm -f copy
    yes 'a line of the length that lines often have' | head -c "$((size / 8 + 1))M" >lines
    compare "$((size / 8 + 1)) MiB of lines to a pipe (perl >= 10 x magic-cat)" \
        magic-cat './magic-cat lines | cat >/dev/null' \
        'perl <>' "perl -e 'print while <>' lines | cat >/dev/null"
fi

lines=$((size * 4000))
seq -f 'line %.0f of a log that is not very long' "$lines" >log
head -n $((lines / 4000 + 1)) log >short
if has ts; then
    compare "Stamp $lines lines (2 M lines/s; ts >= 8 x open3-run)" \
        open3-run './open3-run -q -- cat log' \
        'open3-run -J' './open3-run -qJ -- cat log' \
        ts 'cat log | ts'
fi
if has annotate-output; then
    compare "Stamp $((lines / 4000 + 1)) lines (annotate-output >= 100 x open3-run)" \
        open3-run './open3-run -- cat short' \
        annotate-output 'annotate-output cat short'
fi
