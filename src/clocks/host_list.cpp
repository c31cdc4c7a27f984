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

constexpr std::size_t max_name = 253; // RFC 1035, section 2.3.4, without the dots of the wire
constexpr std::size_t max_line = 1024;
constexpr std::size_t max_shown = 40; // bytes of a bad line in its error

bool is_name(std::string_view text) {
    return text.size() <= max_name && std::ranges::all_of(text, [](char byte) {
               return ascii::is_letter(byte) || ascii::is_digit(byte) || byte == '.' ||
                      byte == '-' || byte == '_';
           });
}

// The beginning of a bad line. A character is never cut in half.
std::string beginning(std::string_view text) {
    if (text.size() <= max_shown) return std::string{text};
    std::size_t end = max_shown;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
        --end;
    return fmt::format("{}...", text.substr(0, end));
}

Host host_of_line(std::string_view text) {
    if (text.size() > max_line)
        throw std::invalid_argument(fmt::format("it is longer than {} bytes", max_line));
    if (std::ranges::any_of(text, ascii::is_control))
        throw std::invalid_argument("it has control characters");
    try {
        return parse_host(text);
    } catch (const std::invalid_argument& wrong) {
        throw std::invalid_argument(fmt::format("'{}': {}", beginning(text), wrong.what()));
    }
}

// Turns an address into the next one. Its size stays.
void increase(std::string& bytes) {
    auto byte = bytes.rbegin();
    while (byte != bytes.rend() && ++*byte == '\0')
        ++byte;
}

// COUNT consecutive addresses. The first one is FIRST.
std::vector<Host> hosts_from(std::string first, std::uint64_t count) {
    std::vector<Host> hosts;
    hosts.reserve(count);
    for (; hosts.size() < count; increase(first)) {
        auto text = net::Address::of_ip_bytes(first, 0)->host();
        hosts.push_back({text, text, std::nullopt});
    }
    return hosts;
}

std::optional<net::Address> plain_ip(std::string_view text) {
    if (text.find('%') != std::string_view::npos) return std::nullopt; // it names an interface
    return net::Address::parse_ip(text, 0);
}

std::invalid_argument too_many(std::uint64_t max, std::string_view text, const std::string& count) {
    return std::invalid_argument(
        fmt::format("expected at most {} addresses (--max), and {} has {}", max, text, count));
}

// The number of addresses from FIRST to LAST, minus one. At most the largest number of 64 bits.
std::uint64_t distance(std::string_view first, std::string_view last) {
    std::uint64_t difference = 0;
    for (std::size_t at = 0; at < first.size(); ++at) {
        if (difference > UINT64_MAX >> 8U) return UINT64_MAX;
        difference = (difference << 8U) + static_cast<unsigned char>(last[at]) -
                     static_cast<unsigned char>(first[at]);
    }
    return difference;
}

std::vector<Host> hosts_of_range(std::string_view text, std::uint64_t max) {
    const auto hyphen = text.find('-');
    const auto first = plain_ip(text.substr(0, hyphen));
    const auto last = plain_ip(text.substr(hyphen + 1));
    if (!first || !last || first->family() != last->family())
        throw std::invalid_argument("expected a range like 192.0.2.1-192.0.2.20");
    if (last->ip_bytes() < first->ip_bytes())
        throw std::invalid_argument("expected a range that begins with its lower address");
    const auto more = distance(first->ip_bytes(), last->ip_bytes());
    if (more >= max)
        throw too_many(max, text, more == UINT64_MAX ? "more" : fmt::format("{}", more + 1));
    return hosts_from(std::string{first->ip_bytes()}, more + 1);
}

} // namespace

Host parse_host(std::string_view text) {
    if (const auto equals = text.find('='); equals != std::string_view::npos) {
        const auto label = text.substr(0, equals);
        if (label.empty() || !is_name(label))
            throw std::invalid_argument(
                fmt::format("expected a label before the =: at most {} letters, digits, dots, "
                            "hyphens and underscores",
                            max_name));
        auto host = parse_host(text.substr(equals + 1));
        if (!host.label.empty()) throw std::invalid_argument("expected one label only");
        host.label = label;
        return host;
    }
    auto written = net::WrittenHost::parse(text);
    if (!is_name(written.host) && !net::Address::parse_ip(written.host, 0))
        throw std::invalid_argument(
            fmt::format("expected a host: an address, or a name of at most {} letters, digits, "
                        "dots, hyphens and underscores",
                        max_name));
    if (written.port == 0) throw std::invalid_argument("expected a port from 1 to 65535");
    return {std::string{text}, std::move(written.host), written.port};
}

std::vector<Host> parse_host_list(std::string_view text, const BadLine& bad_line) {
    std::vector<Host> hosts;
    for (TextLines lines{text}; const auto line = lines.next();) {
        const auto host = trimmed(line->text.substr(0, line->text.find('#')));
        if (host.empty()) continue;
        try {
            hosts.push_back(host_of_line(host));
        } catch (const std::invalid_argument& wrong) {
            bad_line(fmt::format("line {}", line->number), wrong.what());
        }
    }
    return hosts;
}

std::vector<Host> hosts_of_network(std::string_view text, std::uint64_t max) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos && text.find('-') != std::string_view::npos)
        return hosts_of_range(text, max);
    const auto address = plain_ip(text.substr(0, slash));
    if (!address || slash == std::string_view::npos)
        throw std::invalid_argument(
            "expected a network like 192.0.2.0/24, or a range like 192.0.2.1-192.0.2.20");
    const unsigned all_bits = address->family() == AF_INET ? 32 : 128;
    const auto bits = whole_number<unsigned>(text.substr(slash + 1));
    if (!bits || *bits > all_bits)
        throw std::invalid_argument(fmt::format("expected a prefix length from 0 to {}", all_bits));

    const unsigned free_bits = all_bits - *bits;
    if (free_bits >= 64) throw too_many(max, text, fmt::format("2^{}", free_bits));
    const bool has_broadcast = address->family() == AF_INET && free_bits > 1;
    const std::uint64_t count = (std::uint64_t{1} << free_bits) - (has_broadcast ? 2 : 0);
    if (count > max) throw too_many(max, text, fmt::format("{}", count));

    auto first = net::network_key(*address, *bits, *bits);
    if (has_broadcast) increase(first);
    return hosts_from(std::move(first), count);
}

} // namespace ipcbox::clocks
