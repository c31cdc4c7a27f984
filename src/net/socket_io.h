// Bytes for a socket. A server that answers by itself uses what does not wait: a client that does
// not take its answer holds up nobody.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <cstdint>
#include <string_view>

namespace ipcbox::net {

// Sends what the socket takes at once (all of a few lines, when it is new); the bytes sent. That
// the client is gone is no error.
std::uint64_t send_if_possible(const Fd& socket, std::string_view text);

// The same for all that there is to say: the end of our side goes with it, in the same segment when
// TEXT fits into one (MSG_MORE in send(2)). The kernel has a fifth less to do for a short answer.
std::uint64_t send_and_end(const Fd& socket, std::string_view text);

// Takes what the client has sent so far; the bytes. A socket that is closed with input unread sends
// a reset (RFC 1122, 4.2.2.13), which can overtake our answer.
std::uint64_t discard_input(const Fd& socket);

// Sends all of TEXT, waiting for room. Never raises SIGPIPE. Throws SysError "cannot write OBJECT",
// TimedOut.
void send_all(const Fd& socket, std::string_view text, std::string_view object, Deadline deadline);

} // namespace ipcbox::net
