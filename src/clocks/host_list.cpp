#include "clocks/host_list.h"

#include "core/ascii.h"
#include "core/number.h"
#include "core/text_lines.h"
#include "net/network.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::clocks {

namespace {

constexpr std::size_t most_name = 253; // RFC 1035, section 2.3.4, without the dots of the wire
constexpr std::size_t most_line = 1024;
constexpr std::size_t most_shown = 40; // of a bad line

bool is_name(std::string_view text) {
    return text.size() <= most_name && std::ranges::all_of(text, [](char byte) {
               return ascii::is_letter(byte) || ascii::is_digit(byte) || byte == '.' ||
                      byte == '-' || byte == '_';
           });
}

// What stands at the beginning of a bad line, not cut within a character.
std::string beginning(std::string_view text) {
    if (text.size() <= most_shown) return std::string{text};
    std::size_t end = most_shown;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
        --end;
    return fmt::format("{}...", text.substr(0, end));
}

Host host_of_line(std::string_view text) {
    if (text.size() > most_line)
        throw std::invalid_argument(fmt::format("it is longer than {} bytes", most_line));
    if (std::ranges::any_of(text, ascii::is_control))
        throw std::invalid_argument("it has control characters");
    try {
        return parse_host(text);
    } catch (const std::invalid_argument& wrong) {
        throw std::invalid_argument(fmt::format("'{}': {}", beginning(text), wrong.what()));
    }
}

// The address behind, in as many bytes.
void increase(std::string& bytes) {
    auto byte = bytes.rbegin();
    while (byte != bytes.rend() && ++*byte == '\0')
        ++byte;
}

} // namespace

Host parse_host(std::string_view text) {
    auto written = net::WrittenHost::parse(text);
    if (!is_name(written.host) && !net::Address::parse_ip(written.host, 0))
        throw std::invalid_argument(
            fmt::format("expected a host: an address, or a name of at most {} letters, digits, "
                        "dots, hyphens and underscores",
                        most_name));
    if (written.port == 0) throw std::invalid_argument("expected a port from 1 to 65535");
    return {std::string{text}, std::move(written.host), written.port};
}

std::vector<Host> parse_host_list(std::string_view text,
                                  const std::function<void(const std::string&)>& bad_line) {
    std::vector<Host> hosts;
    for (TextLines lines{text}; const auto line = lines.next();) {
        const auto host = trimmed(line->text.substr(0, line->text.find('#')));
        if (host.empty()) continue;
        try {
            hosts.push_back(host_of_line(host));
        } catch (const std::invalid_argument& wrong) {
            bad_line(fmt::format("line {}: {}", line->number, wrong.what()));
        }
    }
    return hosts;
}

std::vector<Host> hosts_of_network(std::string_view cidr, std::uint64_t most) {
    const auto slash = cidr.find('/');
    const auto address = net::Address::parse_ip(cidr.substr(0, slash), 0);
    if (!address || slash == std::string_view::npos || cidr.find('%') != std::string_view::npos)
        throw std::invalid_argument("expected a network like 192.0.2.0/24");
    const unsigned all_bits = address->family() == AF_INET ? 32 : 128;
    const auto bits = net::prefix_length(*address, cidr);
    if (!bits)
        throw std::invalid_argument(fmt::format("expected a prefix length from 0 to {}", all_bits));

    const unsigned free_bits = all_bits - *bits;
    const auto too_many = [&](const std::string& count) {
        return std::invalid_argument(
            fmt::format("expected at most {} addresses (--max), and {} has {}", most, cidr, count));
    };
    if (free_bits >= 64) throw too_many(fmt::format("2^{}", free_bits));
    const bool has_broadcast = address->family() == AF_INET && free_bits > 1;
    const std::uint64_t count = (std::uint64_t{1} << free_bits) - (has_broadcast ? 2 : 0);
    if (count > most) throw too_many(fmt::format("{}", count));

    std::vector<Host> hosts;
    hosts.reserve(count);
    auto bytes = net::network_key(*address, *bits, *bits);
    if (has_broadcast) increase(bytes);
    for (; hosts.size() < count; increase(bytes)) {
        auto text = net::Address::of_ip_bytes(bytes, 0)->host();
        hosts.push_back({text, text, std::nullopt});
    }
    return hosts;
}

} // namespace ipcbox::clocks
