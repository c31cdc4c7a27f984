#!/bin/sh
# clocks.sh IPCBOX CLOCK_LOAD CLIENT_COST SEQUENTIAL_TIMES - timecheck and udptime beside a bare load
# generator, a script that asks one host after the other, and rdate. The hosts are addresses of
# loopback, all of one time-server. Each round measures all of them one after the other; what is
# printed is the median of the rounds. Ratios are to the first line of each table, and its targets
# are beside them.
set -eu
ipcbox=$(realpath "$1") load=$(realpath "$2") cost=$(realpath "$3") script=$(realpath "$4")
all_rounds=${ROUNDS:-5}
hosts=${TOTAL:-10000}
many=$((hosts * 10))
few=$((hosts < 1000 ? hosts : 1000)) # for rdate
late=50                              # ms, and how much more that may cost timecheck:
most_more=250
most_memory=200 # MiB
work=$(mktemp -d)
servers=
status=0
finish() {
    for server in $servers; do
        kill "$server" 2>/dev/null || :
        wait "$server" 2>/dev/null || :
    done
    rm -rf "$work"
}
trap finish EXIT
trap "exit 1" INT TERM
cd "$work"
for name in timecheck udptime time-server; do ln -s "$ipcbox" $name; done
PATH=$work:$PATH
export TZ=UTC # nobody has to read a file for it

missing=
for program in perl rdate; do
    command -v $program >/dev/null ||
        { missing="$missing $program" && echo "$program is not installed: not compared"; }
done
for count in $few $hosts $many; do "$load" hosts "$count" >"$count.hosts"; done

# start OPTION... - starts a server, and sets $port.
start() {
    rm -f ready
    time-server -q -p 0 --rate 0 --notify-fd 3 "$@" 3>ready & servers="$servers $!"
    until [ "$(grep -c listening ready 2>/dev/null)" = 2 ]; do kill -0 $! || exit 1; done
    port=$(sed -n '1s/.*listening on [^ ]*:\([0-9]*\).*/\1/p' ready)
}
start --delay ${late}ms
late_port=$port
start

# Before a command in a table's line: what it takes is measured. Everybody prints the table.
measure() { "$cost" figure "$@" >rows; }
one_by_one="while read -r host; do rdate -p -o $port \"\$host\" || exit 1; done <$few.hosts"
# How many hosts of a table have an answer; clock_load only counts them, rdate prints dates.
answers() {
    awk 'NR == 1 && NF == 2 { counted = $2 }
         (/^127\./ && $2 != "-") || /^[A-Z][a-z][a-z] / { ++rows }
         END { print counted ? counted : rows + 0 }' rows
}
# Of column $2 of file $1, without the first round: it only brings everything into memory.
median() { tail -n +2 "$1" | cut -d' ' -f"$2" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }

# table TITLE HOSTS - from lines "NAME | TARGET | HOSTS | COMMAND" on standard input; COMMAND is a
# shell command that asks as many hosts as the variable HOSTS says; its times are scaled to those of
# the table.
table() {
    table_hosts=$2
    printf '\n%s\n%9s %9s %9s %7s %7s %7s\n' "$1" ms 'CPU ms' KiB lost ratio target
    sed 's/ *| */|/g' >lines
    rm -f figures.*
    for round in $(seq 0 "$rounds"); do
        line=0
        while IFS='|' read -r name target asked command <&4; do
            line=$((line + 1)) figures=figures.$line
            eval "asked=\$$asked"
            case " $missing " in *" ${name%% *} "*) continue ;; esac
            if [ -f $figures.failed ]; then continue; fi
            rm -f figure
            eval "$command" 2>log || :
            lost=$((asked - $(answers)))
            if [ ! -f figure ]; then
                echo "$name failed, $lost of $asked without an answer: $(head -n 1 log)"
                : >$figures.failed
                continue
            fi
            awk -v factor="$((table_hosts / asked))" -v lost=$lost \
                '{ print $1 * factor, $2 * factor, $3, lost }' figure >>$figures
        done 4<lines
    done
    if [ -f figures.1.failed ]; then
        status=1
        return
    fi
    line=0
    while IFS='|' read -r name target asked command; do
        line=$((line + 1)) figures=figures.$line
        eval "asked=\$$asked"
        if [ ! -f $figures ] || [ -f $figures.failed ]; then continue; fi
        if [ "$asked" != "$table_hosts" ]; then name="$name (of $asked, scaled)"; fi
        echo "$(median $figures 1) $(median $figures 2) $(median $figures 3)" \
            "$(median $figures 4) ${target:--} $name"
    done <lines | awk '
        NR == 1 { time = $1 }
        {
            printf "%9.1f %9.1f %9d %7d %7.2f %7s", $1, $2, $3, $4, $1 / time, $5
            for (at = 6; at <= NF; ++at) printf " %s", $at
            print ($5 != "-" && $1 / time < $5) ? "  (missed)" : ""
        }'
}
# verdict TEXT FIGURE MOST
verdict() {
    awk -v text="$1" -v figure="$2" -v most="$3" 'BEGIN {
        printf "%s: %.1f, at most %d%s\n", text, figure, most, (figure > most) ? "  (missed)" : ""
    }'
}

rounds=$all_rounds
table "$hosts hosts over TCP" "$hosts" <<'LINES'
timecheck             |     | hosts | measure timecheck -p $port -f $hosts.hosts
bare load generator   |     | hosts | measure "$load" tcp $hosts $port
perl, one by one      | 2.8 | hosts | measure perl "$script" tcp $port $hosts.hosts
rdate, one by one     | 30  | few   | measure sh -c "$one_by_one"
LINES

table "$hosts hosts over TCP, and what $late ms before each answer cost" "$hosts" <<'LINES'
timecheck             |     | hosts | measure timecheck -p $port -f $hosts.hosts
timecheck, late       |     | hosts | measure timecheck -p $late_port -f $hosts.hosts
bare, late            |     | hosts | measure "$load" tcp $hosts $late_port
LINES
if [ -f figures.2 ]; then
    more=$(echo "$(median figures.2 1) $(median figures.1 1)" | awk '{ print $1 - $2 }')
    verdict 'timecheck, late: more ms' "$more" $most_more
fi

table "$hosts hosts over UDP (at most 2 x the bare loop, and none lost)" "$hosts" <<'LINES'
udptime -i 0          |     | hosts | measure udptime -i 0 -p $port -f $hosts.hosts
bare load generator   | 0.5 | hosts | measure "$load" udp $hosts $port
perl, all and then    |     | hosts | measure perl "$script" udp $port $hosts.hosts
LINES

rounds=1
for command in timecheck 'udptime -i 0'; do
    table "$many hosts, memory" "$many" <<LINES
$command | | many | measure $command -p $port -f $many.hosts
LINES
    if [ -f figures.1 ]; then verdict MiB "$(($(median figures.1 3) / 1024))" $most_memory; fi
done
exit $status
