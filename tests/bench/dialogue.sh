#!/bin/bash
# dialogue.sh IPCBOX SPAWN_TIMES NOTHING ASKING_20 ASKING_10000 - commands on a terminal of their own,
# beside expect, unbuffer, script and socat, in one run of about a minute. Prints tables of medians;
# targets are in parentheses.
# ROUNDS and SIZE shorten it.
set -eu

ipcbox=$(realpath "$1")
times=$(realpath "$2")
nothing=$(realpath "$3")
asking=$(realpath "$4")
asking_long=$(realpath "$5")
rounds=${ROUNDS:-5}
lines=$((${SIZE:-1000} * 2000))
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
"$ipcbox" --install .

has() {
    command -v "$1" >/dev/null || { echo "$1 is not installed: not compared"; return 1; }
}

printf '\nA tiny program (expect >= 5 x pty-run, unbuffer >= 10 x)\n'
peers=()
if has expect; then peers+=(-- expect -c "log_user 0; spawn -noecho $nothing; expect eof"); fi
if has unbuffer; then peers+=(-- unbuffer "$nothing"); fi
if has script; then peers+=(-- script -qec "$nothing" /dev/null); fi
"$times" $((rounds * 20)) ./pty-run "$nothing" "${peers[@]}"

# milliseconds COMMAND LINE
milliseconds() {
    local start end
    start=$(date +%s%N)
    bash -c "$1" </dev/null >/dev/null
    end=$(date +%s%N)
    echo $(((end - start) / 1000000))
}
commands=("./pty-run seq $lines")
if has socat; then commands+=("socat -u EXEC:'seq $lines',pty,raw -"); fi
if has unbuffer; then commands+=("unbuffer seq $lines"); fi
if has script; then commands+=("script -qec 'seq $lines' /dev/null"); fi
printf '\n%d lines through a terminal (socat >= 1.2 x pty-run, unbuffer >= 2 x)\n%10s %8s   %s\n' \
    "$lines" ms ratio command
for round in $(seq "$rounds"); do
    for index in "${!commands[@]}"; do
        milliseconds "${commands[index]}" >>"ms.$index"
    done
done
first=
for index in "${!commands[@]}"; do
    median=$(sort -n "ms.$index" | sed -n "$((rounds / 2 + 1))p")
    first=${first:-$median}
    awk -v ms="$median" -v first="$first" -v name="${commands[index]}" \
        'BEGIN { printf "%10d %8.2f   %s\n", ms, ms / (first > 0 ? first : 1), name }'
done

# Both answer whatever is asked until the end.
cat >pty-expect.script <<'END'
label next
expect { /\? $/ -> answer; eof -> exit 0 }
label answer
send "yes\r"
goto next
END
cat >expect.script <<'END'
log_user 0
spawn -noecho [lindex $argv 0]
expect -re {\? $} { send "yes\r"; exp_continue } eof
END
if has expect; then
    printf '\n20 prompts, each answered (expect >= 4 x pty-expect)\n'
    "$times" $((rounds * 10)) ./pty-expect --hide -f pty-expect.script "$asking" \
        -- expect expect.script "$asking"
    printf '\n10 000 prompts (expect >= 1 x)\n'
    "$times" "$rounds" ./pty-expect --hide -f pty-expect.script "$asking_long" \
        -- expect expect.script "$asking_long"
fi
