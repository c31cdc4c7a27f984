# The examples with servers and clients.

# == forking-tcp-server -c 20 --idle-timeout 1m localhost:7 -- cat &
run 2>server.log
started=$!
saw 'port 7 of 127.0.0.1' server.log
cat server.log

# == echo hello | tcp-client localhost 7
run
saw reaped server.log
tail -n +5 server.log

# == kill -HUP 812
EXAMPLE=${EXAMPLE/812/$started}
run && stop

# == forking-tcp-server -x rules --check-rules
printf '# the office\nallow 192.0.2.0/24\ndeny all\n' >rules
run

# == forking-tcp-server -x rules 25
printf 'allow 127.0.0.1\ndeny all\n' >rules
serve
prints 220 tcp-client 127.0.0.1 25 && stop

# == forking-tcp-server 4433 --tls-cert site.pem -- ./service
certificate site.pem
serve
prints 'at your service' tcp-client --tls localhost 4433 && stop

# == forking-tcp-server 4433 --tls-cert site.pem --tls-client-ca our-ca.pem
certificate our-ca.pem
certificate site.pem
serve
! prints 'at your service' tcp-client --tls localhost 4433 && stop

# == forking-tcp-server -c 20 localhost:7
# == forking-tcp-server -c 40 -u nobody 7
# == forking-tcp-server 0.0.0.0:7
# == forking-tcp-server -c 20 7
serve
[ "$(echo hello | tcp-client 127.0.0.1 7)" = hello ] && stop

# == forking-tcp-server -u nobody daytime
serve
prints : tcp-client localhost daytime && stop

# == tcp-server --once 9000 -- cat big.img
head -c 100000 /dev/zero >sent.img
EXAMPLE=${EXAMPLE/big.img/sent.img}
serve

# == tcp-client backup 9000 -o big.img
run && cmp big.img sent.img

# == tcp-client db:5432 < request
# == tcp-client localhost:8000 < request
words=($EXAMPLE)
provide tcp-server "${words[1]}" -- cat
echo hello >request
run && cmp request answer && stop

# == tcp-client -z -w 2 db 5432 || echo down
run | grep down

# == tcp-client -z -w 2 db 5432
# == tcp-client --wait-for db:5432
# == tcp-client -w 60 --wait-for db:5432
provide tcp-server db:5432 -- cat
run && stop

# == tcp-client --wait-for db:5432 --wait-for mq:5672
provide tcp-server db:5432 -- cat
db=$started
provide tcp-server mq:5672 -- cat
run && stop && started=$db && stop

# == tcp-interact -C mail.example.com smtp
provide tcp-server mail.example.com:25 -- smtpd
run | grep 220 && stop

# == tcp-interact -C --tls mail.example.com
# == tcp-interact --tls mail.example.com
certificate mail.pem
provide tcp-server --tls-cert mail.pem "mail.example.com:${EXAMPLE##* }" -- smtpd
run | grep 220 && stop

# == tcp-interact unix:/run/app.sock
provide catsock-server /run/app.sock -- smtpd
run | grep 220 && stop

# == tcp-interact --telnet
provide tcp-server switch:23 -- echo 'login: '
run && grep login session.log && stop

# == tcp-interact localhost 9000
provide command-server 9000
run | grep Welcome && stop

# == printf 'PING\r\n' | tcp-interact --hex
mkdir -p /run/redis
provide catsock-server /run/redis/redis.sock -- sed -u s/PING/PONG/
run | grep PONG && stop

# == echo PING | catsock-client /run/redis/redis.sock
mkdir -p /run/redis
provide catsock-server /run/redis/redis.sock -- sed -u s/PING/PONG/
run | grep PONG && stop

# == catsock-server -m 660 -o :adm /run/uptime.sock
serve
prints load catsock-client /run/uptime.sock && stop

# == catsock-client /run/uptime.sock
provide catsock-server /run/uptime.sock -- uptime
run | grep load && stop

# == catsock-server --allow
serve
! prints 'secret|tokens' catsock-client "$(grep -o '@[a-z]*' <<<"$EXAMPLE")" && stop

# == catsock-server -m 666 -c 40 /run/echo
# == catsock-server -c 40 /run/echo
# == catsock-server /run/echo
serve
[ "$(echo hello | catsock-client /run/echo)" = hello ] && stop

# == command-server 9000
serve
printf 'disk /\nquit\n' | prints % tcp-client localhost 9000 && stop

# == command-server --no-builtins
echo 'hello = echo hello to you' >/etc/commands
serve
printf 'hello\n' | prints 'to you' catsock-client /run/commands.sock && stop

# == tar c dir | catsock-client /run/backup.sock
mkdir -p dir
provide catsock-server /run/backup.sock -- sh -c 'cat >backup.tar'
run && stop && tar tf backup.tar

# == catsock-client --wait-for /run/app.sock
stand_in unix=/run/app.sock
run && stop

# == catsock-client --wait-for /run/docker.sock
stand_in unix=/run/docker.sock
run && stop

# == tcp-client time.example.com daytime
provide time-server --daytime 13 time.example.com:37
run | grep : && stop

# == printf 'GET / HTTP/1.0\r\n\r\n' | tcp-client --max-bytes 1M -o page
web
run && grep document page && stop

# == printf 'GET / HTTP/1.0\r\n\r\n' | tcp-client --tls
web
run | grep document && stop

# == tcp-client --tls example.com 443 < request
web
printf 'GET / HTTP/1.0\r\n\r\n' >request
run | grep document && stop

# == tcp-client --tls db.example.org 5433
certificate expired.pem 20261102120000Z
provide tcp-server --tls-cert expired.pem db.example.org:5433 -- cat
echo hello >request
fails 1 && stop

# == tcp-client --wait-for app:8080 --http
stand_in http=127.0.2.2:8080
run && stop

# == tar c dir | tcp-client -s there 9000
mkdir dir
provide tcp-server there:9000 -- sh -c 'cat >there.tar'
run && stop && tar tf there.tar

# == tcp-server --once localhost:2345
echo hello >file
serve
[ "$(tcp-client localhost 2345)" = hello ] && wait $started

# == tcp-server --count 3
serve
for time in 1 2 3; do echo hello | tcp-client localhost 9000; done
wait $started && grep hello backup.*

# == tcp-server --over
serve
prints jobs tcp-client localhost 9000 && stop
