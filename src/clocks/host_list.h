// Which hosts are to be asked: arguments, files of names, whole networks.
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
    std::string text;                  // as it was written: what its row is called
    std::string name;                  // what is looked up
    std::optional<std::uint16_t> port; // when it was written with one
};

// "time.example.com", "192.0.2.1", "192.0.2.1:37", "[2001:db8::1]:time", "2001:db8::1". Throws
// std::invalid_argument with what was expected: a name has letters, digits, dots, hyphens and
// underscores only, and at most 253 of them.
[[nodiscard]] Host parse_host(std::string_view text);

// The hosts of a list: one on a line, blanks around it and what follows a # do not count. Each line
// that is none goes to BAD_LINE as "line 7: REASON", and the others are taken.
[[nodiscard]] std::vector<Host>
parse_host_list(std::string_view text, const std::function<void(const std::string&)>& bad_line);

// Every address of a network in CIDR notation ("192.0.2.0/24", "2001:db8::/120"), those of the
// network itself and of broadcast left out as fping(8) does it (not for /31, /32, nor IPv6).
// Throws std::invalid_argument for what is none, and for more than MOST addresses.
[[nodiscard]] std::vector<Host> hosts_of_network(std::string_view cidr, std::uint64_t most);

} // namespace ipcbox::clocks
