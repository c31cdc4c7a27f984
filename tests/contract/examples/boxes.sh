# The examples with containers.

# == unshare --pid --ipc --fork --kill-child chroot box
# The Dockerfile below it says the same.
image=$(sed -n 's/^ENTRYPOINT //p; s/^CMD //p' "$WORLD/../../../README.md" | tr -d '[],"' | xargs)
[[ $EXAMPLE == *" chroot box $image &"* ]] &&
run 2>/dev/null

# == id=$(pgrep -P $!)
until_true pgrep -P $!
run
