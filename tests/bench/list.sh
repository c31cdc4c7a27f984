#!/bin/sh
# list.sh IPCBOX SPAWN_TIMES IPC_OBJECTS - ipc-list beside lsipc and ipcs, on many objects of one
# kind, in one run of less than a minute. Prints tables of medians; targets are in parentheses.
# TOTAL is how many objects (default 30000, or as many as the kernel allows), ROUNDS how often.
#
# The objects are in an IPC namespace of their own, where that can be made; it goes with its last
# process. In any case the process that made them removes them when we end, however we end: it
# waits for the end of a pipe whose other end we have.
. "$(dirname "$0")/common.sh"

if [ "${1-}" != --inside ]; then
    self=$(realpath "$0")
    if unshare --ipc true 2>/dev/null; then
        exec unshare --ipc "$self" --inside "$@"
    elif unshare --user --map-root-user --ipc true 2>/dev/null; then
        exec unshare --user --map-root-user --ipc "$self" --inside "$@"
    fi
    set -- --inside "$@"
fi
shift
ipcbox=$(realpath "$1")
times=$(realpath "$2")
objects=$(realpath "$3")
total=${TOTAL:-30000}
rounds=${ROUNDS:-7}
enter "$ipcbox"
mkfifo hold made

# list KIND OPTION LSIPC_OPTION
list() {
    "$objects" "$1" "$total" <hold >made &
    maker=$!
    exec 8>hold
    read -r count <made
    title "List $count objects (lsipc >= 2 x ipc-list)"
    "$times" "$rounds" ./ipc-list "$2" -- lsipc "$3" -- ipcs "$3" 8>&-
    title "List $count objects as JSON (lsipc >= 2 x ipc-list)"
    "$times" "$rounds" ./ipc-list "$2" -J -- lsipc "$3" -J 8>&-
    exec 8>&-
    wait "$maker"
}

has lsipc || exit 0
list sem --sem -s
list msg --msg -q

# The CPU time of a second of looks at 1000 objects: at one look a second, 2 % of a core are 20 ms.
watched=$((total < 1000 ? total : 1000))
"$objects" sem "$watched" <hold >made &
maker=$!
exec 8>hold
read -r count <made
printf '\nWatch %s objects at 20 ms for 50 looks (each <= 20 ms of CPU)\n' "$count"
bash -c 'TIMEFORMAT="%U s of user time, %S s of system time, %R s"
    time timeout 1 "$@" >/dev/null || :' bash ./ipc-list --watch 0.02 8>&-
exec 8>&-
wait "$maker"
