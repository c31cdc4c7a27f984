#!/bin/bash
# dialogue.sh IPCBOX SPAWN_TIMES NOTHING ASKING_20 ASKING_10000 - commands on a terminal of their own,
# beside expect, unbuffer, script and socat, in one run of about a minute. Prints tables of medians;
# targets are in parentheses.
# ROUNDS and SIZE shorten it.
. "$(dirname "$0")/common.sh"

ipcbox=$(realpath "$1")
times=$(realpath "$2")
nothing=$(realpath "$3")
asking=$(realpath "$4")
asking_long=$(realpath "$5")
lines=$((${SIZE:-1000} * 2000))
enter "$ipcbox"

printf '\nA tiny program (expect >= 5 x pty-run, unbuffer >= 10 x)\n'
peers=()
if has expect; then peers+=(-- expect -c "log_user 0; spawn -noecho $nothing; expect eof"); fi
if has unbuffer; then peers+=(-- unbuffer "$nothing"); fi
if has script; then peers+=(-- script -qec "$nothing" /dev/null); fi
"$times" $((rounds * 20)) ./pty-run "$nothing" "${peers[@]}"

commands=(pty-run "./pty-run seq $lines")
if has socat; then commands+=(socat "socat -u EXEC:'seq $lines',pty,raw -"); fi
if has unbuffer; then commands+=(unbuffer "unbuffer seq $lines"); fi
if has script; then commands+=(script "script -qec 'seq $lines' /dev/null"); fi
compare "$lines lines through a terminal (socat >= 1.2 x pty-run, unbuffer >= 2 x)" "${commands[@]}"

# Both answer every question until the end.
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
