# The examples with signals and processes.

# == lock-run -v backup.lock rsync
hold 1 lock-run backup.lock ./backup.sh
until_true prints 'backup.sh' lock-run -n -v backup.lock true
begin
saw waiting log
release
wait $started && cat log

# == signal-send --escalate TERM:5s,KILL 812
hold_812 backup.sh ./backup.sh
run
held=()

# == id=$(process-alive -i $!)
hold 1 ./job
run && [ "${id%:*}" = "${held[0]}" ]

# == process-wait -t 10 $id
# == process-wait -t 10 $(cat *.pid)
# == process-wait 812 && ./next
[ ${#held[@]} = 1 ] || hold_812 job ./job
echo "${held[0]}" >job.pid
begin
until ls -l "/proc/$(pgrep -nx process-wait)/fd" 2>/dev/null | grep -q pidfd; do :; done
release
wait $started

# == signal-show 812; signal-list 143
hold_812 job ./job
run && release

# == signal-show 812
program ./backup.sh 'trap : INT; read -r line <"$HOLD" & wait'
hold_812 backup.sh signal-run --default all --ignore HUP -- ./backup.sh
until_true prints INT signal-show ${held[0]}
run && release

# == signal-show --watch 1s 812
hold_812 job ./job
begin
saw '\(job\)' log
pkill -x signal-show
release
wait $started
[ $? = 143 ]

# == signal-run --log ./worker
hold 1 ./job
HOLD=$PWD/hold start
until_true pgrep -x worker
HOLD=$PWD/hold ./watchdog "$started" &
watchdog=$!
wait "$started"
[ $? = 143 ] && cat log
kill $watchdog
wait $watchdog 2>/dev/null
release

# == kill -$(signal-list RTMIN+1) 812
hold_812 job ./job
run
wait "${held[0]}"
[ $? = 163 ]

# == signal-run --rewrite TERM:QUIT nginx
mkfifo hold
HOLD=$PWD/hold start
until prints QUIT signal-show $(pgrep -x nginx); do :; done
kill $started
wait $started
[ $? = 7 ]

# == reap-run --kill-orphans TERM:5s,KILL -- ./server
start
tcp-client --wait-for 127.0.0.1:8080 -- true && stop

# == daemon-run -p /run/d.pid --stop
daemon-run -p /run/d.pid -- ./d && run

# == daemon-run -p /run/d.pid
run && daemon-run -p /run/d.pid --stop

# == daemon-run -p d.pid --stop
run && ! daemon-run -p d.pid --status

# == daemon-run -p /run/web.pid --stop
run && ! daemon-run -p /run/web.pid --status

# == daemon-run -p /run/worker.pid
test -p hold || mkfifo hold
exec 8<>hold
export HOLD=$PWD/hold
run && daemon-run -p /run/worker.pid --stop
unset HOLD

# == process-alive $(cat job.pid)
echo 999999 >job.pid
run
wait $!

# == ./job & id=$(process-alive -i $!)
test -p hold || mkfifo hold
exec 8<>hold
HOLD=$PWD/hold
export HOLD
run && [ -n "$id" ]
unset HOLD

# == kill $pid; process-wait
hold 1 ./job
pid=${held[0]}
run
held=()

# == reap-run --list
rm server
cp /bin/cat server
test -p hold || mkfifo hold
exec 8<>hold
sh -c './worker & exec ./server hold' &
until_true prints '\(server\)' reap-run --list
run
kill $!

# == signal-send -HUP --pidfile /run/d.pid
hold 1 cat "$PWD/hold"
rm d
cp /bin/cat d
./d hold &
echo $! >/run/d.pid
EXAMPLE=${EXAMPLE/\/usr\/sbin\/d/$PWD/d}
until_true prints "$PWD/d" readlink /proc/$!/exe
run
wait $!
[ $? = 129 ]

# == signal-send -s HUP --group 0
test -p hold || mkfifo hold
exec 8<>hold
export HOLD=$PWD/hold EXAMPLE
setsid -w bash -c './job & trap "exit 2" HUP; eval "$EXAMPLE" && wait $!; [ $? = 129 ]' 2>/dev/null
unset HOLD

# == ./worker; signal-list $?
program ./worker 'kill -SEGV $$'
{ run; } 2>/dev/null
