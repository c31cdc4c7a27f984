#include "net/network.h"

#include "core/number.h"

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

std::optional<unsigned> prefix_length(const Address& address, std::string_view written) {
    constexpr unsigned byte_bits = 8;
    const auto all = static_cast<unsigned>(address.ip_bytes().size()) * byte_bits;
    const auto slash = written.find('/');
    if (slash == std::string_view::npos) return all;
    const bool is_mapped =
        all == 32 && written.substr(0, slash).find(':') != std::string_view::npos;
    const unsigned ignored = is_mapped ? 96 : 0;
    const auto bits = whole_number<unsigned>(written.substr(slash + 1));
    if (!bits || *bits < ignored || *bits - ignored > all) return std::nullopt;
    return *bits - ignored;
}

std::string network_key(const Address& client, unsigned bits4, unsigned bits6) {
    std::string key{client.ip_bytes()};
    const unsigned bits = client.family() == AF_INET ? bits4 : bits6;
    for (std::size_t at = 0; at < key.size(); ++at)
        key[at] = masked(key[at], mask_byte(at, bits));
    return key;
}

} // namespace ipcbox::net
