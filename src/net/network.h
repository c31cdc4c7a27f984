// Networks of addresses: what their hosts have in common.
#pragma once

#include "net/address.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::net {

// What the clients of one network have in common, to count them by: the first BITS4 or BITS6 bits
// of the address, the rest zero. One host is one IPv4 address; for IPv6 it is a /64, in which it
// can choose its address freely (RFC 4862). Empty for a Unix address.
[[nodiscard]] std::string network_key(const Address& client, unsigned bits4 = 32,
                                      unsigned bits6 = 64);

// The number of bits after the slash of WRITTEN, "192.0.2.0/24", of which ADDRESS is the part
// before; all bits without a slash. The first 96 bits of ::ffff:192.0.2.0/120 only say that it is
// IPv4, and do not count: 24. Nothing when the number is none, or is more than the address has.
[[nodiscard]] std::optional<unsigned> prefix_length(const Address& address,
                                                    std::string_view written);

// The byte at AT of a mask whose first BITS bits are set, and BYTE under such a mask.
[[nodiscard]] unsigned char mask_byte(std::size_t at, unsigned bits);
[[nodiscard]] char masked(char byte, unsigned char mask);

} // namespace ipcbox::net
