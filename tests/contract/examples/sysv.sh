# The examples with System V objects and with etcd.

# == sem-take -v @build -- make
sem-create --resize 2 @build >/dev/null
hold 2 sem-take @build -- make
until_true prints 'held by [0-9]+ \(make.*[0-9]+ \(make' ipc-list @build
begin
saw waiting log
release
wait $started
grep '^sem-take' log

# == sem-create -n 4 @build; sem-create --resize 8 @build
ipc-remove --yes @build
run

# == sem-take -v --etcd http://a:2379,http://b:2379,http://c:2379 -j 2 @build -- make
etcd_up
etcd=$started
for host in web3 web4; do
    hold 1 unshare --uts sh -c 'hostname "$1"; shift; exec "$@"' sh "$host" \
        sem-take --etcd http://a:2379 -j 2 @build -- make
    until_true prints "held by .*$host" ipc-list --etcd http://a:2379
done
begin
saw waiting log
release
wait $started
kill $etcd
grep '^sem-take' log

# == sem-take --etcd http://a:2379,http://b:2379 -j 4 @build
etcd_up
run && stop

# == sem-create --etcd
etcd_up
run && stop

# == ipc-list --etcd http://a:2379
etcd_up
sem-create --etcd http://a:2379 -n 4 @build
run | grep @build && stop

# == ipc-list @build
ipc-remove --yes @build >/dev/null 2>&1
sem-create -n 2 @build >/dev/null
hold 2 sem-take @build -- make
hold 1 sem-take @build -- make
until_true prints 'held by [0-9]+ \(make.*[0-9]+ \(make.*waited for by' ipc-list @build
run
release

# == ipc-list --watch 1s; ipc-list --tree
begin
saw '^. sem' log
pkill -x ipc-list
wait $started && grep 'IPC OK' log

# == ipc-list --watch 1s -J >>ipc.log
start
saw '"v":1' ipc.log
stop

# == ipc-remove @build
sem-create -n 4 @build >/dev/null 2>&1
EXAMPLE="${EXAMPLE/ipc-remove/ipc-remove --yes}"
run && ! prints '^sem' ipc-list @build

# == sem-give 1234
sem-take 1234
run

# == for file in *.log
touch a.log b.log
run && test -f a.log.gz -a -f b.log.gz

# == sem-take -j 1 -s @table
touch table
run

# == shm-write --create --size 4K
echo '{"a":1}' >state.json
run

# == shm-write --stream @feed < big.img
head -c 100000 /dev/zero >big.img
run &
feeder=$!

# == shm-read --stream @feed | gzip > big.gz
run && wait $feeder && zcat big.gz | cmp - big.img

# == seq 100000 | shm-write --stream @feed &
run

# == shm-read --stream @feed | gzip > feed.gz
run && zcat feed.gz | cmp - <(seq 100000)

# == tar -c /etc | shm-write --stream @feed &
run

# == shm-read --stream @feed | gzip > etc.tar.gz
run && tar -tzf etc.tar.gz >/dev/null

# == shm-read @state -n 16 | od -c
prints @state ipc-list || shm-write --create --size 4K @state </dev/null
run

# == sem-take --hold-for PPID @build
run
sem-give @build

# == etcdctl role add tokens
certificate etcd.pem
install -D trusted.pem /etc/etcd/ca.pem
etcd_up https --cert-file etcd.pem --key-file key.pem
export ETCDCTL_ENDPOINTS=https://a:2379 ETCDCTL_CACERT=/etc/etcd/ca.pem
etcdctl user add root:root && etcdctl role add root && etcdctl user grant-role root root
run

# == etcdctl user add build
EXAMPLE=${EXAMPLE/build/build:...}
run

# == export ETCDCTL_CACERT
unset ETCDCTL_ENDPOINTS
run

# == sem-take -j 4 @build -- make
run
failed=$?
[ -z "$IPCBOX_ETCD" ] || stop
unset IPCBOX_ETCD ETCDCTL_USER ETCDCTL_PASSWORD ETCDCTL_CACERT
[ $failed = 0 ]
