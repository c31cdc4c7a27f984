// The errors by which the kernel says that a connection is lost: tcp(7). Only a socket has them,
// and never a pipe, a file or a device.
#pragma once

#include <cerrno>

namespace ipcbox {

[[nodiscard]] constexpr bool is_lost_connection(int error) noexcept {
    return error == ECONNRESET || error == ETIMEDOUT || error == EHOSTUNREACH ||
           error == ENETUNREACH;
}

} // namespace ipcbox
