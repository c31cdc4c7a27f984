# The examples with the clocks of other machines.

# == timecheck alpha beta gamma
provide time-server alpha:37
alpha=$started
provide time-server --offset -90 beta:37
measure '^alpha +0 '
stop
started=$alpha
stop

# == timecheck --via ntp,http --consensus alpha beta gamma delta
stand_in ntp=127.0.1.1:0 http=127.0.1.2:80 ntp=127.0.1.4:-2
measure '2 of 3 agree'
stop

# == timecheck --via http --precise beta
stand_in http=127.0.1.2:80
run
stop

# == timecheck --via ntp --warn 100ms --crit 1s db delta
stand_in ntp=127.0.2.1:0 ntp=127.0.1.4:-2
measure '1 of 2: delta'
[ $? = 2 ] && stop

# == timecheck --via ntp --warn 100ms --crit 1s db.example.com
# == udptime --via ntp --warn 100ms --crit 1s db.example.com
stand_in ntp=127.0.2.1:0
measure OK && stop

# == timecheck --via ntp --warn 100ms --crit 1s --stratum-warn 4
stand_in ntp=192.0.2.7:0
measure OK && stop

# == udptime -g 192.0.2.0/24 --via ntp
stand_in ntp=192.0.2.1:0 ntp=192.0.2.2:0 ntp=192.0.2.3:0
measure '3 answered'
stop

# == udptime -g 192.0.2.0/24 -T 300ms
# == udptime -g 192.0.2.0/24 --as-completed
provide time-server --udp 192.0.2.7:37
measure '^192\.0\.2\.7( +0 .*)?$' | grep 192.0.2.7 && stop

# == timecheck --via ntp --watch 1m
EXAMPLE=${EXAMPLE/jq/jq --unbuffered}
stand_in ntp=127.0.2.4:0
begin
saw . log
pkill -x timecheck
wait $started
stop

# == daytime
provide time-server --daytime 13 127.0.0.1:37
run && stop

# == daytime 127.0.0.1
run

# == daytime -J alpha
# == daytime time.nist.gov
provide time-server --daytime 13 alpha:37 time.nist.gov:37 beta:37
run && stop

# == time-server -u nobody --daytime 13
serve
stop && cat log

# == time-server --offset -90 localhost:3737
serve

# == tcp-client localhost 3737 | od
run && stop

# == timecheck alpha beta:2037 192.0.2.7
provide time-server alpha:37 beta:2037 192.0.2.7:37
run && stop

# == timecheck --via ntp,https,http -f fleet
# == udptime --via ntp,https,http -f fleet
# == udptime --via ntp -t 30s -f fleet
printf 'alpha\nbeta\ndelta\n' >fleet
stand_in ntp=127.0.1.1:0 ntp=127.0.1.2:0 ntp=127.0.1.4:0
run && stop

# == timecheck -J -f fleet
printf 'alpha\nbeta\n' >fleet
provide time-server alpha:37 beta:37
run && stop

# == timecheck --via https --precise
web
run && stop

# == udptime --via ntp --consensus a b c
stand_in ntp=127.0.1.1:0 ntp=127.0.1.2:-3 ntp=127.0.1.3:0
measure '2 of 3 agree'
stop

# == time-server -q --daytime 1313 localhost:3737 &
run
tcp-client --wait-for localhost:1313 -- true

# == time-server -q --offset -90 localhost:3737 &
run
tcp-client --wait-for localhost:3737 -- true

# == time-server -q --udp --rate 0 127.0.0.1:3737 &
run
until_true udptime 127.0.0.1:3737

# == udptime 127.0.0.1:3737
measure '^127.0.0.1:3737 +0 '
