#include "server/access_rules.h"

#include "core/number.h"
#include "core/text_lines.h"
#include "net/network.h"

#include <algorithm>
#include <cstring>
#include <fmt/core.h>

namespace ipcbox::server {

namespace {

constexpr unsigned byte_bits = 8;

bool is_name(std::string_view text) {
    const auto is_letter = [](char byte) {
        return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_';
    };
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [&](char byte) {
        return is_letter(byte) || (byte >= '0' && byte <= '9');
    });
}

} // namespace

RulesError::RulesError(std::string_view file, unsigned line, unsigned column,
                       std::string_view expected)
    : Error(fmt::format("{}:{}:{}: {}", file, line, column, expected)), line_(line),
      column_(column) {}

class AccessRules::LineParser {
  public:
    LineParser(std::string_view text, unsigned number, std::string_view file)
        : rest_(text), size_(text.size()), number_(number), file_(file) {}

    // Nothing for an empty line.
    std::optional<Entry> entry() {
        const auto verdict = word();
        if (verdict.empty()) return std::nullopt;
        if (verdict != "allow" && verdict != "deny") fail("expected allow or deny");
        Entry entry;
        entry.rule.line = number_;
        entry.rule.allow = verdict == "allow";
        entry.network = network(word());
        for (auto keyword = word(); !keyword.empty(); keyword = word()) {
            if (keyword != "limit" && keyword != "set")
                fail("expected limit N, set NAME=VALUE, or the end of the line");
            if (!entry.rule.allow)
                fail("expected the end of the line: limit and set are for allow");
            if (keyword == "limit")
                entry.rule.limit = limit(entry.rule.limit);
            else
                entry.rule.variables.push_back(variable());
        }
        return entry;
    }

  private:
    static constexpr auto blanks = " \t\r";

    [[noreturn]] void fail(std::string_view expected) const {
        throw RulesError(file_, number_, static_cast<unsigned>(column_), expected);
    }

    void skip(std::size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }

    // From here on, errors name the current column.
    void begin() { column_ = size_ - rest_.size() + 1; }

    // The next word; empty at the end of the line or before a comment.
    std::string_view word() {
        skip(rest_.find_first_not_of(blanks));
        begin();
        if (rest_.starts_with('#')) return {};
        const auto found = rest_.substr(0, rest_.find_first_of(blanks));
        skip(found.size());
        return found;
    }

    [[nodiscard]] Network network(std::string_view who) const {
        Network network;
        if (who == "all") return network;
        const auto slash = who.find('/');
        // Refuse a %zone, because clients are compared by their bytes.
        const auto host = who.substr(0, slash);
        const auto address = net::Address::parse_ip(host, 0);
        if (!address || host.find('%') != std::string_view::npos)
            fail("expected all, an IP address, or a network like 192.0.2.0/24");
        const auto bytes = address->ip_bytes();
        bytes.copy(network.bytes.data(), bytes.size());
        network.size = static_cast<std::uint8_t>(bytes.size());
        const unsigned most = network.size * byte_bits;
        const auto written = net::prefix_length(*address, who);
        if (!written) fail(fmt::format("expected a prefix length from 0 to {}", most));
        const unsigned bits = *written;
        network.bits = static_cast<std::uint8_t>(bits);
        for (std::size_t at = 0; at < network.size; ++at)
            if (net::masked(bytes[at], net::mask_byte(at, bits)) != bytes[at])
                fail(fmt::format("expected a network: {} has bits set after the first {}", host,
                                 bits));
        return network;
    }

    unsigned limit(std::optional<unsigned> before) {
        if (before) fail("expected one limit only");
        const auto number = whole_number<unsigned>(word());
        if (!number || *number == 0) fail("expected a number from 1");
        return *number;
    }

    AccessRule::Variable variable() {
        skip(rest_.find_first_not_of(blanks));
        begin();
        const auto name = rest_.substr(0, rest_.find_first_of("= \t\r"));
        skip(name.size());
        if (!is_name(name) || !rest_.starts_with('=')) fail("expected NAME=VALUE");
        skip(1);
        begin();
        return {std::string{name}, std::string{rest_.starts_with('"') ? quoted() : plain()}};
    }

    std::string_view plain() {
        const auto value = rest_.substr(0, rest_.find_first_of(blanks));
        if (value.find('"') != std::string_view::npos)
            fail("expected quotes around the whole value");
        skip(value.size());
        return value;
    }

    std::string_view quoted() {
        const auto end = rest_.find('"', 1);
        if (end == std::string_view::npos) fail("expected a closing quote");
        const auto value = rest_.substr(1, end - 1);
        skip(end + 1);
        begin();
        if (!rest_.empty() && rest_.find_first_of(blanks) != 0)
            fail("expected a blank after the closing quote");
        return value;
    }

    std::string_view rest_;
    std::size_t size_;
    std::size_t column_ = 1;
    unsigned number_;
    std::string_view file_;
};

AccessRules AccessRules::parse(std::string_view text, std::string_view file) {
    AccessRules rules;
    for (TextLines lines{text}; const auto line = lines.next();) {
        // A variable cannot hold a NUL.
        if (const auto zero = line->text.find('\0'); zero != std::string_view::npos)
            throw RulesError(file, line->number, static_cast<unsigned>(zero) + 1, "expected text");
        if (auto entry = LineParser{line->text, line->number, file}.entry())
            rules.entries_.push_back(std::move(*entry));
    }
    return rules;
}

const AccessRule* AccessRules::match(const net::Address& client) const noexcept {
    const auto bytes = client.ip_bytes();
    const auto contains = [bytes](const Entry& entry) {
        const auto& network = entry.network;
        if (network.size == 0) return true;
        if (network.size != bytes.size()) return false;
        const std::size_t whole = network.bits / byte_bits;
        return std::memcmp(bytes.data(), network.bytes.data(), whole) == 0 &&
               (whole == bytes.size() ||
                net::masked(bytes[whole], net::mask_byte(whole, network.bits)) ==
                    network.bytes[whole]);
    };
    const auto found = std::ranges::find_if(entries_, contains);
    return found != entries_.end() ? &found->rule : nullptr;
}

} // namespace ipcbox::server
