// pty-expect follows its script: what it prints, logs and reports meanwhile.
#pragma once

#include "dialog/peer.h"
#include "front/expect/options.h"

namespace ipcbox::front {

// Keeps the descriptors that SCRIPT reads as /dev/fd/N from the programs that we start. To be
// called before the command starts.
void keep_descriptors_to_us(const expect::Script& script);

// Talks with PEER to the end, ends it, and returns the exit status. A signal that ends us does so
// once the terminal is as it was.
[[nodiscard]] int run_expect(const ExpectOptions& options, dialog::Peer peer);

} // namespace ipcbox::front
