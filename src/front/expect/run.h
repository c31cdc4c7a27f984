// pty-expect follows its script: what it prints, logs and reports meanwhile.
#pragma once

#include "dialog/peer.h"
#include "front/expect/options.h"

namespace ipcbox::front {

// The descriptors that the script reads as /dev/fd/N are not handed to the programs that we start.
// Before the command is.
void keep_descriptors_to_us(const dialog::Script& script);

// Talks with PEER to the end; the exit status. The peer has ended then. A signal that ends us does
// so once the terminal is as it was.
[[nodiscard]] int run_expect(const ExpectOptions& options, dialog::Peer peer);

} // namespace ipcbox::front
