#!/bin/sh
# Runs a completion test in its shell: in_shell.sh SHELL SCRIPT. A shell that is not installed is a
# failure in CI, and a skipped test (77 for meson) elsewhere.
if ! command -v "$1" >/dev/null; then
    echo "$1 is not installed"
    [ -z "${CI:-}" ] && exit 77
    exit 1
fi
# The applets have to be commands: zsh and fish look for them.
links=$(mktemp -d) || exit 1
trap 'rm -rf "$links"' EXIT
"$IPCBOX_BINARY" --install "$links" && ln -s "$IPCBOX_BINARY" "$links/ipcbox" || exit 1
cd "$links" || exit 1
HOME=$links XDG_CONFIG_HOME=$links XDG_DATA_HOME=$links PATH=$links:$PATH TERM=dumb "$1" "$2"
