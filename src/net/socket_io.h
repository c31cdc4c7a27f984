// Sends bytes to a socket. A server that answers by itself uses the functions that do not wait, so
// that a client that does not read its answer holds up nobody.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <cstdint>
#include <string_view>

namespace ipcbox::net {

// Sends a few lines without waiting, and returns the number of bytes sent: a new socket takes all
// of them. It is not an error when the client is gone. Throws SysError "cannot answer a client"
// when there is no memory for them.
std::uint64_t send_if_possible(const Fd& socket, std::string_view text);

// Does the same and ends our side of the connection, in the same segment when TEXT fits into one
// (MSG_MORE in send(2)). That saves the kernel a fifth of its work for a short answer.
std::uint64_t send_and_end(const Fd& socket, std::string_view text);

// Drops the input that the client has sent so far, and returns the number of bytes. A socket that
// is closed with input unread sends a reset (RFC 1122, 4.2.2.13), which can overtake our answer.
std::uint64_t discard_input(const Fd& socket);

// Sends all of TEXT, waiting for room. Never raises SIGPIPE. Throws SysError "cannot write OBJECT",
// TimedOut.
void send_all(const Fd& socket, std::string_view text, std::string_view object, Deadline deadline);

} // namespace ipcbox::net
