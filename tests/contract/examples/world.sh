# What each page's shell reads first: the network and the places of the examples, and words for the scripts
# around them. Servers and stand-ins end with the page, at the latest.

ip link set lo up
ip route add local 192.0.2.0/24 dev lo
mount --bind "$(dirname "$PWD")/etc" /etc
mount -t tmpfs none /run
mount -t tmpfs none /dev/shm
[ ! -d /dev/mqueue ] || mount -t mqueue none /dev/mqueue
mount -t tmpfs none /var/log
mkdir homes bin
mount --rbind /home homes
mount -t tmpfs none /home
for home in homes/*; do
    [ ! -d "$home" ] || { mkdir "/home/${home##*/}"; mount --rbind "$home" "/home/${home##*/}"; }
done
install -d -o alice -g alice /home/alice
umask 022

run() { eval "$EXAMPLE"; }

# Runs it again until it prints a line that matches, at most ten times: what it measures, a busy machine disturbs.
measure() { # REGEX
    local time status
    for time in {1..10}; do
        run >measured 2>&1
        status=$?
        if grep -qE -e "$1" measured; then break; fi
    done
    cat measured
    return $status
}

# It ends with this status.
fails() { # STATUS
    eval "$EXAMPLE"
    [ $? = "$1" ]
}

# Runs it in the background, as $started. What it prints goes to the file "log".
begin() {
    rm -f log
    run >log 2>&1 &
    started=$!
}

# The same of one command, which is the process $started then. Its own output is not in "log".
start() {
    rm -f log
    eval "exec $EXAMPLE" 2>log &
    started=$!
}

# Starts a server, and waits until it listens.
serve() {
    start
    saw 'listening on|serving ' log
}

# Starts a server that the example talks to, and waits until it listens. It gets no connection for that: some
# write a file for each.
provide() { # COMMAND
    rm -f log
    "$@" 2>log &
    started=$!
    saw 'listening on' log
}

# Ends what was started as $started, with TERM.
stop() {
    kill "$started"
    wait "$started"
    case $? in 0 | 143) ;; *) false ;; esac
}

# Waits until the file has a line that matches. If $started ends without one, this fails, and prints the file.
saw() { # REGEX FILE
    grep -qEm1 -e "$1" <(exec tail --pid="$started" -n +1 -F "$2" 2>/dev/null) || { cat "$2"; false; }
}

# Waits until the command is true.
until_true() { # COMMAND
    until "$@" >/dev/null 2>&1; do :; done
}

# Whether the command prints a line that matches.
prints() { # REGEX COMMAND
    "${@:2}" 2>&1 | grep -qE -e "$1"
}

# Starts the command in the background, as often as asked. Those programs of ours that do work wait for "release".
hold() { # COUNT COMMAND
    test -p hold || mkfifo hold
    exec 8<>hold
    export HOLD=$PWD/hold
    for ((i = 0; i < $1; i++)); do
        "${@:2}" >/dev/null 2>&1 &
        held+=($!)
    done
    unset HOLD
}

release() {
    printf '%.0s\n' "${held[@]}" >&8
    wait "${held[@]}"
    held=()
}

# One such command, which is then called so, gets the number 812 that the example has.
hold_812() { # NAME COMMAND
    hold 1 "${@:2}"
    until_true prints "^$1\$" cat "/proc/${held[0]}/comm"
    EXAMPLE=${EXAMPLE//812/${held[0]}}
}

# Another program of this name, for this page.
program() { # NAME TEXT
    rm -f "$1"
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod +x "$1"
}

# Servers in Python: see stand_ins.py.
stand_in() { # WORD...
    local ready
    exec {ready}< <(exec python3 "$WORLD/stand_ins.py" "$@")
    started=$!
    read -r -u "$ready"
}

# A certificate with its key in the file, of an issuer that is trusted from now on; for the names of the examples.
certificate() { # FILE [END]
    rm -f index*
    touch index
    printf '%s\n' '[ca]' default_ca=d '[d]' new_certs_dir=. database=index rand_serial=yes default_md=sha256 \
        policy=p x509_extensions=x '[p]' commonName=supplied '[x]' \
        'subjectAltName=DNS:localhost,DNS:example.com,DNS:*.example.com,DNS:*.example.org,DNS:a,DNS:b,DNS:c' >ca
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=example.com -keyout key.pem \
        -out request.pem 2>log &&
        openssl ca -batch -config ca -selfsign -keyfile key.pem -in request.pem -out "$1" -notext \
            -startdate 20200101000000Z -enddate "${2:-20991231000000Z}" 2>log || { cat log; return 1; }
    cp "$1" trusted.pem
    export SSL_CERT_FILE=$PWD/trusted.pem
    cat key.pem >>"$1"
}

# Both schemes at each name that has an address of its own.
web() {
    certificate web.pem
    stand_in "http=127.0.0.1:80" "http=127.0.2.5:80" "https=web.pem:127.0.2.5:443"
}

# One etcd, at the addresses of three.
etcd_up() { # [https OPTION...]
    local scheme=${1:-http}
    etcd --data-dir "etcd-$scheme" --listen-client-urls \
        "$scheme://127.0.1.1:2379,$scheme://127.0.1.2:2379,$scheme://127.0.1.3:2379" \
        --advertise-client-urls "$scheme://a:2379" --listen-peer-urls http://127.0.0.1:0 --log-level error "${@:2}" \
        >etcd.log 2>&1 &
    started=$!
    if [ $# = 0 ]; then
        tcp-client --wait-for a:2379 --http /health >/dev/null
    else
        until_true webget -f https://a:2379/health
    fi
}
