// Which hosts to ask: arguments, files of names, whole networks.
#pragma once

#include "net/address.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::clocks {

struct Host {
    std::string text;                  // as it was written, without its label
    std::string name;                  // what is looked up
    std::optional<std::uint16_t> port; // when it was written with one
    std::string label{};               // what to call it; empty when it was written without one

    // The name in its row.
    [[nodiscard]] const std::string& called() const { return label.empty() ? text : label; }
};

// "time.example.com", "192.0.2.1", "192.0.2.1:37", "[2001:db8::1]:time", "2001:db8::1", and each of
// them after a label: "db=192.0.2.1:37". Throws std::invalid_argument with what was expected: a
// name or a label consists of at most 253 letters, digits, dots, hyphens and underscores.
[[nodiscard]] Host parse_host(std::string_view text);

// The hosts of a list, one on each line. Blanks around a host, and a # with everything after it,
// are ignored. Calls BAD_LINE with "line 7" and a reason for a line that is not a host, and takes
// the others.
using BadLine = std::function<void(const std::string& line, const std::string& reason)>;
[[nodiscard]] std::vector<Host> parse_host_list(std::string_view text, const BadLine& bad_line);

// Every address of a network in CIDR notation ("192.0.2.0/24", "2001:db8::/120"), without the
// address of the network itself and the broadcast address, as in fping(8) (except for /31, /32 and
// IPv6); or every address from the first to the last one of a range ("192.0.2.1-192.0.2.20").
// Throws std::invalid_argument for any other text, and for more than MAX addresses.
[[nodiscard]] std::vector<Host> hosts_of_network(std::string_view text, std::uint64_t max);

} // namespace ipcbox::clocks
