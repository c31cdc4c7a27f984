// The header of the PROXY protocol, version 1 (HAProxy's proxy-protocol.txt, 2.1), as a client or a
// proxy sends it. server/proxy_protocol.h reads it.
#pragma once

#include "net/address.h"

#include <string>

namespace ipcbox::net {

// "PROXY TCP4 192.0.2.1 192.0.2.2 4321 80\r\n". When one address is IPv4 and the other IPv6, the
// IPv4 one is written as a mapped one; without two IP addresses it is "PROXY UNKNOWN\r\n".
[[nodiscard]] std::string proxy_line(const Address& source, const Address& destination);

} // namespace ipcbox::net
