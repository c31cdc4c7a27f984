#!/bin/sh
# cluster.sh IPCBOX SPAWN_TIMES - tokens of an etcd cluster beside etcdctl lock, in one run. Prints
# tables; targets are in parentheses. $ETCDCTL_ENDPOINTS is the cluster (etcd_stage makes one).
set -eu

times=$2
rounds=${ROUNDS:-100}
workers=20
takes=$((${TOTAL:-2000} / workers / 10))
mkdir applets
"$1" --install applets
PATH=$PWD/applets:$PATH
export ETCDCTL_API=3 IPCBOX_ETCD="$ETCDCTL_ENDPOINTS"

printf 'Run a command under a token (etcdctl lock >= 2.5 x sem-take)\n'
printf '%13s %13s %10s   %s\n' median 'best tenth' ratio command
"$times" "$rounds" sem-take -j 1 @bench /bin/true -- etcdctl lock bench /bin/true

# rate COMMAND... - how many COMMANDs a second end, when 20 processes run them one after the other.
rate() {
    start=$(date +%s%N)
    for worker in $(seq $workers); do
        for take in $(seq "$takes"); do "$@" >/dev/null; done &
    done
    wait
    echo $((workers * takes * 1000000000 / ($(date +%s%N) - start)))
}
printf '\n20 workers on one slot, takes a second (sem-take >= 1.5 x etcdctl lock)\n'
ours=$(rate sem-take -j 1 @rate /bin/true)
theirs=$(rate etcdctl lock rate /bin/true)
printf '%10d  sem-take, 1 slot\n' "$ours"
printf '%10d  etcdctl lock, %d %% of that\n' "$theirs" $((theirs * 100 / ours))
printf '%10d  sem-take, 3 slots\n' "$(rate sem-take -j 3 @rate3 /bin/true)"

# The sum of a counter over all members.
counted() {
    for member in $(echo "$ETCDCTL_ENDPOINTS" | tr , ' '); do
        webget -q -o - "$member/metrics"
    done | awk -v name="$1" '$1 == name { sum += $2 } END { printf "%d\n", sum }'
}
waiting=$((${ROUNDS:-100} < 100 ? 20 : 300))
printf '\n%d waiting, then let in (at most 10 watch messages a take, >= 120 takes a second)\n' $waiting
sem-create -n 1 @hall >/dev/null
mkfifo gate
sem-take @hall sh -c 'echo >ready; read line <gate' &
until [ -e ready ]; do :; done
for waiter in $(seq $waiting); do sem-take -q @hall /bin/true & done
until ipc-list -J --etcd "$IPCBOX_ETCD" @hall | grep -q "\"waiting\":$waiting"; do :; done
before=$(counted etcd_debugging_mvcc_events_total)
start=$(date +%s%N)
echo >gate
wait
end=$(date +%s%N)
messages=$(($(counted etcd_debugging_mvcc_events_total) - before))
printf '%10d  takes a second\n' $((waiting * 1000000000 / (end - start)))
printf '%10d  watch events, %d.%02d a take\n' "$messages" $((messages / waiting)) \
    $((messages * 100 / waiting % 100))
