// Urgent data of TCP (tcp(7), RFC 6093), by which telnet servers mark an interruption. splice(2)
// cannot pass it: it reports nothing to read, or even the end, as long as the urgent byte is next.
// recv(2) leaves that byte out and goes on behind it.
#pragma once

namespace ipcbox::net {

// Whether the next byte of SOCKET is urgent. False for other sockets than those of TCP.
[[nodiscard]] bool is_at_urgent_data(int socket) noexcept;

} // namespace ipcbox::net
