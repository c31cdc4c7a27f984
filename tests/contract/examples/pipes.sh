# The examples with pipes, FIFOs and terminals.

# == pipe-run --atomic db.gz
fails 3 && ! test -e db.gz

# == pipe-run -- zcat big.gz
{ echo 'the first line'; seq 100000; } | gzip >big.gz
run

# == pipe-run -- zcat log.gz
echo error | gzip >log.gz
run

# == magic-cat head
touch head tail
echo body | gzip >body.gz
run | grep body

# == magic-cat head.txt
touch head.txt tail.txt
echo body | gzip >body.gz
run | grep body

# == magic-cat --net
provide time-server --daytime 13 localhost:37
clock=$started
web
run && stop && started=$clock && stop

# == magic-cat --literal -- *
mkdir odd
touch 'odd/echo|' odd/-
(cd odd && run)

# == open2-run --tap log -- ./client
program ./server 'exec ./shout'
run && grep HELLO log

# == open2-run --ask - -- ./server < questions
program ./server 'exec ./shout'
printf 'a\nb\n' >questions
run | tail -n 1 | grep B

# == pty-expect --check -f login.exp
printf 'expect /password: /\nsend "secret\\r"\nexpect /\\$ /\nsend "exit\\r"\n' >login.exp
run

# == pty-expect --tcp localhost:9000
provide command-server 9000
run && stop

# == pty-expect --record login.exp
printf 'secret\nexit\n' | pty-run -p bash -c "$EXAMPLE"
grep -q expect login.exp

# == PASSWORD=... pty-expect -f login.exp
printf 'exit\n' | pty-run -p bash -c "$EXAMPLE"

# == pty-expect -f login.exp -i -- telnet host
printf 'expect /password: /\nsend "secret\\r"\n' >login.exp
printf 'exit\n' | pty-run -p bash -c "$EXAMPLE"

# == pty-expect -f passwd.exp
mkdir -p /run/secrets
echo secret >/run/secrets/user
run

# == pty-expect --strip-ansi --hide -f python.exp
fails 42

# == echo report | safe-write report
rm report
run

# == sort list | safe-write list
printf 'b\na\n' >list
run && [ "$(head -n 1 list)" = a ]

# == fifosig &
run 2>/dev/null
until_true test -p ~/.signature
grep 'good day' ~/.signature && kill $!

# == fifosig -v ~/motd
run 2>/dev/null
until_true test -p ~/motd
grep 'load average' ~/motd && kill $!

# == fifosig ./disks
start
until_true test -p disks
grep Filesystem disks && stop

# == fifosig -n 1
start
until_true test -p secret
cmp secret /etc/hostname && wait $started
