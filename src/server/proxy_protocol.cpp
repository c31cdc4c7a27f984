#include "server/proxy_protocol.h"

#include "core/number.h"
#include "core/words.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>

namespace ipcbox::server {

namespace {

using namespace std::string_view_literals;
using State = ProxyHeader::State;

constexpr auto text_signature = "PROXY "sv;
constexpr auto binary_signature = "\r\n\r\n\0\r\nQUIT\n"sv;

constexpr std::size_t max_line = 107; // with its CR LF

ProxyHeader bad(std::string_view reason) {
    ProxyHeader header;
    header.state = State::bad;
    header.reason = reason;
    return header;
}

ProxyHeader complete(std::size_t length) {
    ProxyHeader header;
    header.state = State::complete;
    header.length = length;
    return header;
}

// Makes an Address of a sockaddr. Only its first SIZE bytes count.
template <class Name> net::Address address_of(const Name& name, std::size_t size = sizeof(Name)) {
    sockaddr_storage storage{};
    std::memcpy(&storage, &name, sizeof name);
    return net::Address{storage, static_cast<socklen_t>(size)};
}

// ---- version 1

// Exactly one blank separates two words. Two blanks enclose an empty word, which is an error.
std::string_view next_word(std::string_view& line) {
    return take_until(line, ' ');
}

std::optional<net::Address> text_address(int family, std::string_view ip, std::string_view port) {
    const bool has_leading_zero = port.size() > 1 && port.starts_with('0');
    const auto number = whole_number<std::uint16_t>(port);
    if (!number || has_leading_zero || ip.find('%') != std::string_view::npos) return std::nullopt;
    // The spelling decides: a mapped address is TCP6 here, although our Address is IPv4.
    const int spelled = ip.find(':') == std::string_view::npos ? AF_INET : AF_INET6;
    return spelled == family ? net::Address::parse_ip(ip, *number) : std::nullopt;
}

ProxyHeader parse_line(std::string_view text) {
    const auto line_feed = text.substr(0, max_line).find('\n');
    if (line_feed == std::string_view::npos)
        return text.size() < max_line ? ProxyHeader{} : bad("expected a line of 107 bytes");
    auto line = text.substr(0, line_feed);
    if (line.find('\r') != line.size() - 1) return bad("expected CR LF at the end of the line");
    line.remove_suffix(1);
    line.remove_prefix(text_signature.size());
    auto header = complete(line_feed + 1);
    const bool has_more = line.find(' ') != std::string_view::npos;
    const auto protocol = next_word(line);
    if (protocol == "UNKNOWN") return header;
    if (!has_more || (protocol != "TCP4" && protocol != "TCP6"))
        return bad("expected TCP4, TCP6 or UNKNOWN");
    const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
    const auto source = next_word(line);
    const auto destination = next_word(line);
    const auto source_port = next_word(line);
    // The rest of the line is the last word. If it has a blank, it is not a number.
    header.source = text_address(family, source, source_port);
    header.destination = text_address(family, destination, line);
    if (!header.source || !header.destination) return bad("expected two addresses and two ports");
    return header;
}

// ---- version 2

constexpr std::size_t fixed_bytes = 16; // the signature, version and command, family, length

std::size_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

// The address blocks as they are on the wire. All members are bytes, so there is no padding.
struct Ipv4Block {
    std::array<char, 4> source, destination;
    std::array<char, 2> source_port, destination_port;
};
struct Ipv6Block {
    std::array<char, 16> source, destination;
    std::array<char, 2> source_port, destination_port;
};
struct UnixBlock {
    std::array<char, 108> source, destination;
};
static_assert(sizeof(Ipv4Block) == 12 && sizeof(Ipv6Block) == 36 && sizeof(UnixBlock) == 216);

net::Address make_address(const std::array<char, 4>& ip, const std::array<char, 2>& port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    std::memcpy(&name.sin_addr, ip.data(), ip.size());
    std::memcpy(&name.sin_port, port.data(), port.size());
    return address_of(name);
}

net::Address make_address(const std::array<char, 16>& ip, const std::array<char, 2>& port) {
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    std::memcpy(&name.sin6_addr, ip.data(), ip.size());
    std::memcpy(&name.sin6_port, port.data(), port.size());
    return address_of(name);
}

// PATH is padded with zero bytes. An abstract name begins with a zero byte; an unnamed socket has
// nothing else.
net::Address make_address(const std::array<char, 108>& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    static_assert(sizeof name.sun_path == sizeof path);
    std::memcpy(name.sun_path, path.data(), path.size());
    const std::string_view text{path.data(), path.size()};
    std::size_t length = text.find_last_not_of('\0') + 1;
    if (!text.starts_with('\0')) length = std::min(text.find('\0'), text.size() - 1) + 1;
    return address_of(name, offsetof(sockaddr_un, sun_path) + length);
}

template <class Block> Block read_block(std::string_view bytes) {
    Block block;
    std::memcpy(&block, bytes.data(), sizeof block);
    return block;
}

void read_addresses(const Ipv4Block& block, ProxyHeader& header) {
    header.source = make_address(block.source, block.source_port);
    header.destination = make_address(block.destination, block.destination_port);
}
void read_addresses(const Ipv6Block& block, ProxyHeader& header) {
    header.source = make_address(block.source, block.source_port);
    header.destination = make_address(block.destination, block.destination_port);
}
void read_addresses(const UnixBlock& block, ProxyHeader& header) {
    header.source = make_address(block.source);
    header.destination = make_address(block.destination);
}

// Adds BYTES to the CRC-32C (RFC 9260, appendix A) SUM.
std::uint32_t add_to_checksum(std::uint32_t sum, std::string_view bytes) {
    constexpr std::uint32_t polynomial = 0x82f63b78; // with its bits reversed
    for (const char byte : bytes) {
        sum ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit)
            sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? polynomial : 0);
    }
    return sum;
}

// Section 2.2.3. The checksum itself is at AT, and counts as zeros.
bool has_checksum(std::string_view header, std::size_t at, std::size_t size) {
    if (size != sizeof(std::uint32_t)) return false;
    auto sum = add_to_checksum(~std::uint32_t{}, header.substr(0, at));
    sum = add_to_checksum(sum, std::string_view{"\0\0\0\0", size});
    sum = ~add_to_checksum(sum, header.substr(at + size));
    std::size_t told = 0;
    for (std::size_t byte = 0; byte < size; ++byte)
        told = told * 256 + byte_at(header, at + byte);
    return sum == told;
}

// What is wrong with the entries of HEADER after AT. Empty when nothing is.
std::string_view problem_of_entries(std::string_view header, std::size_t at) {
    constexpr std::size_t head_bytes = 3; // type and length
    constexpr std::size_t checksum = 3;
    while (at < header.size()) {
        constexpr auto torn = "expected whole type-length-value entries";
        if (header.size() - at < head_bytes) return torn;
        const auto size = byte_at(header, at + 1) * 256 + byte_at(header, at + 2);
        const auto type = byte_at(header, at);
        at += head_bytes;
        if (header.size() - at < size) return torn;
        if (type == checksum && !has_checksum(header, at, size)) return "expected another checksum";
        at += size;
    }
    return {};
}

// Of the entries behind the addresses, we need only the checksum.
template <class Block> ProxyHeader with_addresses(std::string_view bytes, ProxyHeader header) {
    if (bytes.size() < fixed_bytes + sizeof(Block))
        return bad("expected a length with room for the addresses");
    const auto problem = problem_of_entries(bytes, fixed_bytes + sizeof(Block));
    if (!problem.empty()) return bad(problem);
    read_addresses(read_block<Block>(bytes.substr(fixed_bytes)), header);
    return header;
}

ProxyHeader parse_binary(std::string_view bytes) {
    if (bytes.size() < fixed_bytes) return {};
    const auto version_and_command = byte_at(bytes, 12);
    const auto family_and_protocol = byte_at(bytes, 13);
    const auto length = fixed_bytes + byte_at(bytes, 14) * 256 + byte_at(bytes, 15);
    constexpr std::size_t local = 0x20;
    constexpr std::size_t proxy = 0x21;
    if (version_and_command != local && version_and_command != proxy)
        return bad("expected version 2 and LOCAL or PROXY");
    if (length > ProxyHeader::max_bytes) return bad("expected no more than 16 KiB");
    if (bytes.size() < length) return {};
    auto header = complete(length);
    header.is_from_proxy_itself = version_and_command == local;
    if (header.is_from_proxy_itself) return header; // ignore its addresses
    const auto whole = bytes.substr(0, length);
    switch (family_and_protocol) {
    case 0x00: // unspecified
        return header;
    case 0x11: // streams, or datagrams
    case 0x12:
        return with_addresses<Ipv4Block>(whole, header);
    case 0x21:
    case 0x22:
        return with_addresses<Ipv6Block>(whole, header);
    case 0x31:
    case 0x32:
        return with_addresses<UnixBlock>(whole, header);
    default:
        return bad("expected a known family and protocol");
    }
}

} // namespace

ProxyHeader ProxyHeader::parse(std::span<const std::byte> bytes) {
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    if (text.starts_with(text_signature)) return parse_line(text);
    if (text.starts_with(binary_signature)) return parse_binary(text);
    if (text_signature.starts_with(text) || binary_signature.starts_with(text)) return {};
    return bad("expected a PROXY protocol header");
}

} // namespace ipcbox::server
