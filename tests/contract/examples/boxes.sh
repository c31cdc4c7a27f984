# The examples with containers.

# == unshare --pid --ipc --fork --kill-child chroot box
run 2>/dev/null

# == id=$(pgrep -P $!)
until_true pgrep -P $!
run
