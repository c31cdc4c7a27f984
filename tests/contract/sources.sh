#!/bin/sh
# What holds for the sources and the objects: layers, no prints and no exits below the command line,
# no code before main, the format. Usage: sources.sh SOURCE_ROOT BUILD_ROOT OPTIMIZATION; needs nm
# (binutils) and grep; the format is checked where clang-format-14 is installed.
#
# Every rule is "these lines must not exist": what a search prints is what is wrong.
set -u
root=$1 build=$2 optimization=$3
cd "$root" || exit 1

forbid() { # RULE, with the offending lines on standard input
    offending=$(cat)
    [ -z "$offending" ] || printf 'not allowed: %s\n%s\n\n' "$1" "$offending"
}

# The lines of the C++ files below the directories that match PATTERN, comments taken away.
lines_with() { # PATTERN DIRECTORY...
    pattern=$1
    shift
    for directory; do
        [ -d "$directory" ] && find "$directory" -name '*.cpp' -o -name '*.h'
    done | xargs -r awk '{ code = $0; sub("//.*", "", code); print FILENAME ":" FNR ": " code }' |
        grep -E ": .*($pattern)"
}

# Which rooms the files of a room may include, beside their own: every arrow of the house. What is not
# here is not allowed. "ROOM: ROOM..."; a name with a dot is one header.
arrows='
core:
fault:    core
net:      core
http:     core net
cookies:  core net http
process:  core
cli:      core applet.h version.h
dialog:   core process
expect:   core dialog
sysv:     core process
fifo:     core dialog
server:   core net
commands: core
download: core net http
clocks:   core net http
etcd:     core net http
cluster:  core http process etcd
tls:      core net/tls_protocol.h
front:    core net http cookies process cli dialog expect sysv fifo server commands download clocks etcd cluster applet.h version.h
applets:  core net http cookies process cli dialog expect sysv fifo server commands download clocks etcd cluster front applet.h
'

check_arrows() {
    echo "$arrows" | while read -r room targets; do
        room=${room%:}
        [ -n "$room" ] || continue
        place=src/$room
        [ "$room" = applets ] && place=applets
        allowed=$(for target in $room $targets; do
            case $target in
            *.h) printf '%s"|' "$target" | sed 's/\./\\./' ;;
            *) printf '%s/|' "$target" ;;
            esac
        done)
        lines_with '#include "' "$place" | grep -vE "#include \"(${allowed%|})" |
            forbid "$room includes something that is not below it"
    done
    # A room that the table does not know would go unchecked.
    for place in src/*/; do
        room=$(basename "$place")
        echo "$arrows" | grep -q "^$room:" || echo "$place" | forbid 'a room without its arrows'
    done
}

check() {
    check_arrows
    lines_with '#include [<"].*\.cpp[>"]' src applets | forbid 'nothing includes a .cpp'

    # A heavy header has one includer behind a plain facade.
    for owner in 'CLI/:src/cli/cli11.h' 'nlohmann/:src/cli/json.cpp' 'boost/beast:src/http/' \
        'nettle/:src/http/' 'nghttp2/:src/etcd/grpc_session.cpp' 'pcre2:src/expect/' 'zlib:src/http/' 'libpsl:src/cookies/' 'openssl/:src/tls/'; do
        header=${owner%%:*} includer=${owner#*:}
        lines_with "#include <$header" src applets | grep -v "^$includer" |
            forbid "only $includer includes <$header>"
        lines_with "#include <$header" src applets | cut -d: -f1 | sort -u | sed 1d |
            grep -v '^src/tls/' | forbid "<$header> has more than one includer"
    done

    below_cli='src/core src/net src/http src/cookies src/process src/dialog src/expect src/sysv src/fifo src/server src/commands src/download
        src/clocks src/etcd src/cluster src/tls'
    print='v?f?printf|f?puts|f?putc|putchar|perror|print_line|warnx?|errx?|v?syslog'
    lines_with "\\b($print)\\(|fmt::print|std::(cout|cerr|clog)" $below_cli |
        forbid 'only the command line prints'
    lines_with '\b(exit|quick_exit|abort|terminate)\(' $below_cli |
        grep -v '^src/fault/injector\.cpp:' | # which is in no shipped binary
        forbid 'only the command line exits'
    # A forked child, and a process that dies of a signal that it took, have to.
    lines_with '\b_[eE]xit\(' src applets | grep -vE '^src/core/(child|signals|spawn)\.cpp:' |
        forbid '_exit is for core/child.cpp, core/signals.cpp and core/spawn.cpp'
    lines_with '#include <(iostream|regex)>' src applets tests |
        forbid 'iostreams cost start-up time'
    lines_with '#include <filesystem>' src applets |
        forbid 'std::filesystem links iostreams, and its calls pass by core/syscall.h: see core/path.h'
    lines_with 'using namespace std *;' src applets tests | forbid 'using namespace std'
    lines_with '\b(system|popen)\(' src applets | forbid 'no shell'

    # Tests wait for events.
    lines_with '\b(sleep|usleep|nanosleep|sleep_for|sleep_until)\(' tests | forbid 'no test sleeps'
    find tests -name '*.sh' -o -name '*.py' -o -name '*.pl' -o -name '*.t' -o -name '*.exp' |
        grep -v '^tests/contract/sources\.sh$' |
        xargs -r grep -nE '\bsleep +[0-9.]|time\.sleep|select\(undef' |
        forbid 'no test script sleeps'

    if command -v clang-format-14 >/dev/null || [ "${CI:-}" = true ]; then
        find src applets tests -name '*.cpp' -o -name '*.h' |
            xargs clang-format-14 --dry-run -Werror 2>&1 | grep -v '^ ' |
            forbid 'a line that is not formatted (clang-format-14 -i FILE)'
    fi

    # The dictionary is the list of the files.
    listed=$("$IPCBOX_BINARY" --list)
    files_are() { # RULE, with the names that the files give on standard input
        { sort -u; echo "$listed"; } | sort | uniq -u | forbid "$1"
    }
    find applets -mindepth 2 -name '*.cpp' | sed 's|.*/||; s|\.cpp$||' |
        files_are 'an applet without its word, or the other way round'
    # NAME_test.cpp, and NAME_TOPIC_test.cpp where there is much.
    find tests/applets -name '*_test.cpp' | sed 's|.*/||; s|_.*||' |
        files_are 'an applet test without its applet, or the other way round'
    find man -name 'ipcbox-*.1' | sed 's|.*/ipcbox-||; s|\.1$||' |
        files_are 'a manual page without its applet, or the other way round'

    # Nothing runs before main but CLI11's own constants. (A sanitizer adds constructors of its own,
    # _sub_I_00099_…, and a compiler that does not optimise leaves those of constants in headers.) Our
    # objects are asked, not the program: libc's and libstdc++'s are not ours.
    objects=$(find "$build/src" -name '*.o')
    [ -n "$objects" ] || echo "$build/src" | forbid 'a build without objects'
    [ "$optimization" = 0 ] ||
    echo "$objects" | grep -v 'command_line\.cpp\.o$' | xargs nm -A -C 2>/dev/null |
        grep -E '_GLOBAL__(sub_)?[ID]_|__cxx_global_var_init' | grep -v '_sub_[ID]_00099_' |
        forbid 'a namespace-scope object with a constructor or a destructor'
    nm -C "$IPCBOX_BINARY" | grep -E ' (main|_start)$' | grep -q . ||
        echo "$IPCBOX_BINARY" | forbid 'a program whose symbols cannot be read'
    # Of a static binary: libstdc++'s locales are a fifth of its size.
    nm -C "$IPCBOX_BINARY" | grep -E ' T std::(ios_base|locale)::' |
        forbid 'iostreams, or the locales that come with them'
}

offences=$(check 2>&1)
[ -z "$offences" ] && exit
printf '%s\n' "$offences"
exit 1
