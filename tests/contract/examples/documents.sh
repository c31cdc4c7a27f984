# The examples with documents of web servers.

# == webget localhost
# == webget -J
# == webget --json
# == webget -b
web
run && stop

# == webget unix:
# == webget -f -m 2 unix:
stand_in unix=/run/app.sock
run && stop
rm /run/app.sock

# == webget -O -C -
# == webget -OL -C -
web
echo "$(printf 'the document /disk.iso\n' | sha256sum | cut -d' ' -f1)  disk.iso" >SHA256SUMS
run && grep document disk.iso && stop

# == webget -Z -O --output-dir mirror
web
printf 'https://example.com/%s\n' a b c >list
run && grep document mirror/a mirror/b mirror/c && stop

# == webget -Z -O --urls list
web
printf 'https://example.com/%s\n' a b c >list
run && grep document a b c && stop

# == webget -OL
web
run && grep document a.iso && stop

# == webget https://example.com/nothing -o page
web
echo before >page
fails 22 && grep -q before page && stop

# == webget --proto
web
run | grep installed && stop

# == webget -F title
web
echo report >report.pdf
run && stop

# == webget -T backup.tar
web
echo backup >backup.tar
run && stop

# == webget -c jar
web
echo secret >secret
run && grep session jar && stop
