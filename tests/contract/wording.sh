#!/bin/sh
# The English of every help and every manual page: none has a phrase of phrases.txt. What it prints
# is wrong. Usage: wording.sh MANUALS PHRASES; needs $IPCBOX_BINARY, grep and awk.
set -u
manuals=$1 phrases=$2
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# A help, or a page without its comments, its titles, its macros and the literal text of its examples.
"$IPCBOX_BINARY" --help >"$scratch/ipcbox --help" || exit 1
for applet in $("$IPCBOX_BINARY" --list); do
    "$IPCBOX_BINARY" "$applet" --help >"$scratch/$applet --help" || exit 1
done
for page in "$manuals"/*.[17]; do
    awk '/^\.Bd/ { literal = 1 } /^\.Ed/ { literal = 0 }
         literal || /^\.(\\"|D[l1]|S[hs])/ { print ""; next }
         { sub(/^\.[A-Z][a-z] */, ""); print }' "$page" >"$scratch/${page##*/}"
done

cd "$scratch" || exit 1
grep -v '^#' "$phrases" | while IFS= read -r line; do
    grep -nE -e "${line%% -- *}" -- * | sed "s/\$/    (write: ${line#* -- })/"
done >.offences
[ -s .offences ] || exit 0
cat .offences
exit 1
