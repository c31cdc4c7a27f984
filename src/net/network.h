// Networks: addresses that begin with the same bits.
#pragma once

#include "net/address.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::net {

// A key that is the same for all clients of one network: the first BITS4 or BITS6 bits of the
// address, the rest zero. The defaults stand for one host: one IPv4 address, or an IPv6 /64, in
// which a host can choose its address freely (RFC 4862). Empty for a Unix address.
[[nodiscard]] std::string network_key(const Address& client, unsigned bits4 = 32,
                                      unsigned bits6 = 64);

// The number of bits after the slash in WRITTEN, such as "192.0.2.0/24"; all bits of the address
// when there is no slash. ADDRESS is the part before the slash. The first 96 bits of
// ::ffff:192.0.2.0/120 only say that it is IPv4, so its result is 24. Nothing when the number is
// malformed, or larger than the address.
[[nodiscard]] std::optional<unsigned> prefix_length(const Address& address,
                                                    std::string_view written);

// The byte at AT of a mask whose first BITS bits are set, and BYTE under such a mask.
[[nodiscard]] unsigned char mask_byte(std::size_t at, unsigned bits);
[[nodiscard]] char masked(char byte, unsigned char mask);

} // namespace ipcbox::net
