#!/bin/sh
# The applet that .ci/new-applet makes builds without a warning and passes its tests, in a copy of the
# sources. Only what is new is compiled; the rest is linked from this build.
# Usage: new_applet.sh SOURCE_ROOT BUILD_ROOT CONTRACT_TEST
set -eu
root=$1 build=$2 contract=$3
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

cd "$root"
tar cf - --exclude='./build*' --exclude=./.git . | tar xf - -C "$copy"
"$root/.ci/new-applet" process new-thing 'try what a new applet is' "$copy" >/dev/null
if "$root/.ci/new-applet" process new-thing 'try it again' "$copy" 2>/dev/null; then
    echo 'it replaces an applet that is there'
    exit 1
fi
if command -v clang-format-14 >/dev/null; then
    (cd "$copy" && clang-format-14 --dry-run -Werror applets/process/new-thing.cpp tests/applets/new-thing_test.cpp)
fi

# The dispatch table, as applets/meson.build makes it.
mkdir "$copy/made"
{ cat "$build/applets/applets.inc"; echo 'APPLET("new-thing", "process", new_thing)'; } >"$copy/made/applets.inc"

# Compiles SOURCE into NEW_OBJECT as this build compiles OBJECT.
compile() { # OBJECT SOURCE NEW_OBJECT
    command=$(ninja -C "$build" -t commands "$1" | tail -n 1 | sed "s| -Iapplets | -I$copy/made |; s| -I../src | -I$copy/src |
        s| -M[QF] [^ ]*||g; s| -MD||; s| -include [^ ]*||; s| -include-pch [^ ]*||; s| -o [^ ]*| -o $3|; s| -c [^ ]*| -Werror -c $2|")
    (cd "$build" && sh -c "$command")
}
compile src/ipcbox.p/.._applets_process_process-wait.cpp.o "$copy/applets/process/new-thing.cpp" \
    "$copy/made/new-thing.o"
compile src/ipcbox.p/main.cpp.o "$copy/src/main.cpp" "$copy/made/main.o"
compile tests/applets/process-wait_test.p/process-wait_test.cpp.o "$copy/tests/applets/new-thing_test.cpp" \
    "$copy/made/test.o"

# Links TO as this build links TARGET, with NEW_OBJECTS in place of OBJECT.
link() { # TARGET OBJECT NEW_OBJECTS TO
    command=$(ninja -C "$build" -t commands "$1" | tail -n 1)
    (cd "$build" && sh -c "$(echo "$command" | sed "s| -o [^ ]*| -o $4|; s| $2| $3|")")
}
link src/ipcbox 'src/ipcbox.p/main.cpp.o' "$copy/made/main.o $copy/made/new-thing.o" "$copy/made/ipcbox"
link tests/applets/process-wait_test 'tests/applets/process-wait_test.p/process-wait_test.cpp.o' "$copy/made/test.o" \
    "$copy/made/test"

export IPCBOX_BINARY="$copy/made/ipcbox" CONTRACT_APPLET=new-thing CONTRACT_MANUALS="$copy/man"
"$copy/made/test"
"$contract"
