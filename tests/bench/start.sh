#!/bin/sh
# start.sh IPCBOX SPAWN_TIMES BARE - what a start costs, beside busybox and beside a static PIE that
# does nothing. Prints a table of medians; targets are in parentheses.
set -eu

ipcbox=$(realpath "$1")
times=$(realpath "$2")
bare=$(realpath "$3")
directory=$(mktemp -d)
key=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
trap 'ipcrm -S "$key" 2>/dev/null; rm -rf "$directory"' EXIT
cd "$directory"
# As it is installed.
strip -o ipcbox "$ipcbox"
./ipcbox --install .
./sem-create "$key" >/dev/null

command -v busybox >/dev/null || { echo 'busybox is not installed: not compared'; exit 1; }
printf 'Start (--version <= 1.10 x busybox, sem-give on a free set <= 1.25 x)\n'
printf '%13s %13s %10s   %s\n' median 'best tenth' ratio command
"$times" "${ROUNDS:-15}00" busybox true -- ./ipcbox --version -- ./sem-give "$key" -- "$bare"
