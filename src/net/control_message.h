// Control messages, which the kernel adds to a datagram (cmsg(3)): ip(7), ipv6(7), socket(7).
#pragma once

#include <cstring>
#include <optional>
#include <sys/socket.h>

namespace ipcbox::net {

// The value of HEADER's control message of LEVEL and TYPE, if there is one.
template <class Value>
[[nodiscard]] std::optional<Value> control_message(msghdr& header, int level, int type) {
    for (auto* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
        if (each->cmsg_level != level || each->cmsg_type != type ||
            each->cmsg_len < CMSG_LEN(sizeof(Value)))
            continue;
        Value value;
        std::memcpy(&value, CMSG_DATA(each), sizeof value);
        return value;
    }
    return std::nullopt;
}

} // namespace ipcbox::net
