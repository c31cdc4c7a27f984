// Rules that say which addresses may connect. A file has one rule on each line, and the first rule
// that matches decides.
//
//     # the office, at most ten at once; what is set goes into the program's environment
//     allow 192.0.2.0/24 limit 10 set ROLE=staff
//     deny  2001:db8::bad
//     allow 2001:db8::/32 set GREETING="good day"
//     deny  all
//
// An address that no line matches is denied. So a file that was cut short keeps clients out and
// never lets them in.
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

    // Both count from 1. A column is a byte.
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
    // Without rules every client is denied.
    AccessRules() = default;

    // Parses lines of the form allow|deny all|ADDRESS|ADDRESS/BITS [limit N] [set NAME=VALUE]…; a #
    // begins a comment. A value with blanks in it stands in double quotes. Error messages name
    // FILE. Throws RulesError. A network with bits set behind its prefix is such an error, because
    // one of its two numbers must be wrong.
    [[nodiscard]] static AccessRules parse(std::string_view text, std::string_view file);

    // The first rule that matches CLIENT. Null when none does, and then the client is denied. Only
    // "all" matches a Unix address.
    [[nodiscard]] const AccessRule* match(const net::Address& client) const noexcept;

  private:
    struct Network {
        std::array<char, 16> bytes{}; // in network order
        std::uint8_t size = 0;        // 4 or 16; 0 for "all"
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
