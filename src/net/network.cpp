#include "net/network.h"

#include <algorithm>

namespace ipcbox::net {

unsigned char mask_byte(std::size_t at, unsigned bits) {
    constexpr unsigned byte_bits = 8;
    const auto before = static_cast<unsigned>(at) * byte_bits;
    if (bits <= before) return 0;
    const unsigned ones = std::min(bits - before, byte_bits);
    return static_cast<unsigned char>(0xffU << (byte_bits - ones));
}

char masked(char byte, unsigned char mask) {
    return static_cast<char>(static_cast<unsigned char>(byte) & mask);
}

std::string network_key(const Address& client, unsigned bits4, unsigned bits6) {
    std::string key{client.ip_bytes()};
    const unsigned bits = client.family() == AF_INET ? bits4 : bits6;
    for (std::size_t at = 0; at < key.size(); ++at)
        key[at] = masked(key[at], mask_byte(at, bits));
    return key;
}

} // namespace ipcbox::net
