#!/bin/sh
# webget.sh IPCBOX CLIENT_COST SPAWN_TIMES - webget beside the clients that people use, all with one
# nginx on loopback: many small documents, one large one, TLS, and a start. Each round measures all
# of them one after the other; what is printed is the median of the rounds. Ratios are to the first
# line of each table, and its targets are beside them. Documents and what is fetched are in memory.
set -eu
ipcbox=$(realpath "$1") cost=$(realpath "$2") times=$(realpath "$3")
rounds=${ROUNDS:-5}
documents=${TOTAL:-1000} # of 1 KiB
size=${SIZE:-2048}       # MiB
work=$(mktemp -d)
memory=$work
# The large document, half of it, and a copy.
if [ -d /dev/shm ] && [ "$(df -k /dev/shm | awk 'END { print $4 }')" -gt $((size * 2600)) ]; then
    memory=$(mktemp -d /dev/shm/ipcbox-bench-XXXXXX)
else
    echo '/dev/shm is too small: the disk is measured too'
fi
server=
status=0
finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || :
        wait "$server" || :
    fi
    rm -rf "$work" "$memory"
}
trap finish EXIT
trap "exit 1" INT TERM
cd "$work"
# Nobody's habits or proxies: what is compared is the programs.
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
export HOME="$work"

has() { command -v "$1" >/dev/null; }

# A line of a table whose program is missing is left out.
missing=
for program in curl wget aria2c busybox; do
    has $program || { missing="$missing $program" && echo "$program is not installed: not compared"; }
done
PATH=$PATH:/usr/sbin # Debian's nginx
has nginx || { echo 'nginx is not installed: nothing is measured' && exit 0; }
for name in webget tcp-server; do ln -s "$ipcbox" $name; done
PATH=$work:$PATH

mkdir -p "$memory/documents/small" "$memory/copies" temporary
for number in $(seq "$documents"); do echo "$number"; done |
    awk -v directory="$memory/documents/small" '{
        file = directory "/" $1
        printf "%-1024s", "document " $1 >file
        close(file)
    }'
head -c 1048576 /dev/urandom >mebibyte
for mebibyte in $(seq "$size"); do cat mebibyte; done >"$memory/documents/large"
head -c $((size * 524288)) "$memory/documents/large" >"$memory/documents/half"

if has openssl; then
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out authority.pem -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>openssl.log
else
    echo 'openssl is not installed: no HTTPS'
fi

# Ports that nobody has at the moment, for nginx cannot choose one.
free_port() {
    rm -f port
    tcp-server --notify-fd 3 -q 127.0.0.1:0 3>port & chooser=$!
    until [ -s port ]; do kill -0 $chooser || return 1; done
    sed 's/.*://' port
    kill $chooser
    wait $chooser || :
}
configure() {
    port=$(free_port) tls_port=$(free_port)
    tls=
    if [ -f authority.pem ]; then
        tls="listen 127.0.0.1:$tls_port ssl; ssl_certificate authority.pem; ssl_certificate_key key.pem;"
    fi
    # As Debian's own nginx.conf where it matters: sendfile and tcp_nopush.
    cat >nginx.conf <<CONFIGURATION
daemon off;
worker_processes 2;
pid $work/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=10000;
    client_body_temp_path temporary; proxy_temp_path temporary; fastcgi_temp_path temporary;
    uwsgi_temp_path temporary; scgi_temp_path temporary;
    server {
        listen 127.0.0.1:$port;
        $tls
        root $memory/documents;
    }
}
CONFIGURATION
}
# Somebody else may have taken a port meanwhile.
for attempt in 1 2 3 4 5; do
    configure
    chmod 755 "$work" "$memory" # when we are root, nginx's workers are not
    nginx -p "$work" -c nginx.conf -e stderr 2>nginx.log & server=$!
    until [ -s nginx.pid ]; do kill -0 $server 2>/dev/null || break; done
    if kill -0 $server 2>/dev/null; then break; fi
    server=
done
[ -n "$server" ] || { cat nginx.log && exit 1; }

site=http://127.0.0.1:$port
secure=https://localhost:$tls_port
for number in $(seq "$documents"); do echo "$site/small/$number"; done >urls

# Who is fast has to be right first.
seq "$documents" | (cd "$memory/documents/small" && xargs cat) >all
# shellcheck disable=SC2046 # a list of words
webget $(cat urls) | cmp all
webget -Z $(cat urls) | cmp all
webget "$site/large" | cmp "$memory/documents/large"

# Before a command in a table's line: what it takes is measured.
measure() { "$cost" "$figures" "$@"; }
# Of column $2 of file $1, without the first round: it only brings everything into memory.
median() { tail -n +2 "$1" | cut -d' ' -f"$2" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }

# table TITLE - from lines "NAME | TARGET | COMMAND" on standard input; COMMAND is a shell command.
table() {
    printf '\n%s\n%9s %9s %9s %7s %7s %7s\n' "$1" ms 'CPU ms' KiB ratio CPU target
    sed 's/ *| */|/g' >lines
    rm -f figures.*
    for round in $(seq 0 "$rounds"); do
        line=0
        while IFS='|' read -r name target command <&4; do
            line=$((line + 1)) figures=figures.$line
            case " $missing " in *" ${name%% *} "*) continue ;; esac
            if [ -f $figures.failed ]; then continue; fi
            rm -rf "$memory"/copies/*
            eval "$command" 2>log || :
            # In a pipeline, only the line that is not there tells of it.
            if [ "$(cat $figures 2>/dev/null | wc -l)" != $((round + 1)) ]; then
                echo "$name failed: $(head -n 1 log)"
                : >$figures.failed
            fi
        done 4<lines
    done
    if [ -f figures.1.failed ]; then
        status=1
        return
    fi
    line=0
    while IFS='|' read -r name target command; do
        line=$((line + 1)) figures=figures.$line
        if [ -f $figures ] && [ ! -f $figures.failed ]; then
            echo "$(median $figures 1) $(median $figures 2) $(median $figures 3) ${target:--} $name"
        fi
    done <lines | awk '
        NR == 1 { time = $1; cpu = $2 }
        {
            printf "%9.1f %9.1f %9d %7.2f %7.2f %7s", $1, $2, $3, $1 / time, cpu ? $2 / cpu : 0, $4
            for (at = 5; at <= NF; ++at) printf " %s", $at
            print ($4 != "-" && $1 / time < $4) ? "  (missed)" : ""
        }'
    rm -rf "$memory"/copies/*
}

table "$documents documents of 1 KiB" <<'LINES'
webget            |    | measure webget $(cat urls) >/dev/null
webget -Z         |    | measure webget -Z $(cat urls) >/dev/null
curl              | 10 | measure curl -sS "$site/small/[1-$documents]" >/dev/null
curl --parallel   | 4  | measure curl -sS --parallel "$site/small/[1-$documents]" >/dev/null
wget              | 10 | measure wget -q -O /dev/null -i urls
aria2c            |    | measure aria2c -q --file-allocation=none -j 16 -d "$memory/copies" -i urls
busybox wget      |    | measure busybox wget -q -O - $(cat urls) >/dev/null
LINES

table "$size MiB to /dev/null" <<'LINES'
webget            |    | measure webget "$site/large" >/dev/null
curl              | 2  | measure curl -sS "$site/large" >/dev/null
wget              |    | measure wget -q -O - "$site/large" >/dev/null
busybox wget      |    | measure busybox wget -q -O - "$site/large" >/dev/null
LINES

table "$size MiB to a pipe (cat >/dev/null)" <<'LINES'
webget            |     | measure webget "$site/large" | cat >/dev/null
curl              | 2.5 | measure curl -sS "$site/large" | cat >/dev/null
wget              | 2.5 | measure wget -q -O - "$site/large" | cat >/dev/null
busybox wget      | 2.5 | measure busybox wget -q -O - "$site/large" | cat >/dev/null
LINES

table "$size MiB to a file" <<'LINES'
webget            |     | measure webget -o "$memory/copies/large" "$site/large"
curl              | 1.8 | measure curl -sS -o "$memory/copies/large" "$site/large"
wget              | 1.8 | measure wget -q -O "$memory/copies/large" "$site/large"
aria2c            | 1.8 | measure aria2c -q --file-allocation=none -d "$memory/copies" "$site/large"
busybox wget      | 1.8 | measure busybox wget -q -O "$memory/copies/large" "$site/large"
LINES

if [ -f authority.pem ]; then
    sed "s|^$site|$secure|" urls >secure-urls
    table "$documents documents of 1 KiB over HTTPS" <<'LINES'
webget            |   | measure webget --cacert authority.pem --urls secure-urls >/dev/null
webget -Z         |   | measure webget -Z --cacert authority.pem --urls secure-urls >/dev/null
curl              |   | measure curl -sS --cacert authority.pem "$secure/small/[1-$documents]" >/dev/null
wget              |   | measure wget -q --ca-certificate=authority.pem -O /dev/null -i secure-urls
LINES
    table "$((size / 2)) MiB over HTTPS to /dev/null" <<'LINES'
webget            |   | measure webget --cacert authority.pem "$secure/half" >/dev/null
curl              | 1 | measure curl -sS --cacert authority.pem "$secure/half" >/dev/null
wget              |   | measure wget -q --ca-certificate=authority.pem -O - "$secure/half" >/dev/null
LINES
fi

printf '\nOne document of 1 KiB, the whole process (less than every peer)\n%13s %13s %10s   %s\n' \
    median 'best tenth' ratio command
document=$site/small/1
set -- webget "$document"
if has busybox; then set -- "$@" -- busybox wget -q -O - "$document"; fi
if has curl; then set -- "$@" -- curl -sS "$document"; fi
if has wget; then set -- "$@" -- wget -q -O - "$document"; fi
if has aria2c; then set -- "$@" -- aria2c -q --allow-overwrite=true -d "$memory/copies" "$document"; fi
"$times" $((rounds * 40)) "$@"
exit $status
