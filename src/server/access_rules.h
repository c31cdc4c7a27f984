// Who may connect: rules on addresses, one on a line, the first that matches decides.
//
//     # the office, at most ten at once; what is set goes into the program's environment
//     allow 192.0.2.0/24 limit 10 set ROLE=staff
//     deny  2001:db8::bad
//     allow 2001:db8::/32 set GREETING="good day"
//     deny  all
//
// An address that no line matches is denied: a file that ends too early keeps people out, and does
// not let them in.
#pragma once

#include "core/error.h"
#include "net/address.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::server {

// "FILE:3:14: expected …"
class RulesError : public Error {
  public:
    RulesError(std::string_view file, unsigned line, unsigned column, std::string_view expected);

    // Both from 1; columns are bytes.
    [[nodiscard]] unsigned line() const noexcept { return line_; }
    [[nodiscard]] unsigned column() const noexcept { return column_; }

  private:
    unsigned line_;
    unsigned column_;
};

struct AccessRule {
    struct Variable {
        std::string name;
        std::string value;
    };

    unsigned line = 0;
    bool allow = false;
    std::optional<unsigned> limit; // connections at once, at least 1
    std::vector<Variable> variables;
};

class AccessRules {
  public:
    // No rules: everybody is denied.
    AccessRules() = default;

    // allow|deny all|ADDRESS|ADDRESS/BITS [limit N] [set NAME=VALUE]…, and # for comments. A value
    // with blanks in it stands in double quotes. FILE is for the messages. Throws RulesError, also
    // for a network with bits set behind its prefix, because one of the two numbers is wrong.
    [[nodiscard]] static AccessRules parse(std::string_view text, std::string_view file);

    // The rule that decides on a client; null when there is none, and so it is denied. A Unix
    // address is matched by "all" only.
    [[nodiscard]] const AccessRule* match(const net::Address& client) const noexcept;

  private:
    struct Network {
        std::array<char, 16> bytes{}; // in network order
        std::uint8_t size = 0;        // 4 or 16; 0 for everybody
        std::uint8_t bits = 0;
    };
    struct Entry {
        Network network;
        AccessRule rule;
    };
    class LineParser;

    std::vector<Entry> entries_;
};

} // namespace ipcbox::server
