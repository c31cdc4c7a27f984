// Files of access rules, and rules for the process at the other end. Each parser gets the same
// bytes.
#include "net/peer_process.h"
#include "require.h"
#include "server/access_rules.h"

#include <algorithm>
#include <stdexcept>

using namespace ipcbox;

namespace {

void check_rule(const server::AccessRule* rule, std::size_t lines) {
    if (rule == nullptr) return;
    require(rule->line >= 1 && rule->line <= lines);
    require(!rule->limit || (*rule->limit > 0 && rule->allow));
    require(rule->variables.empty() || rule->allow);
    for (const auto& variable : rule->variables) {
        require(!variable.name.empty() && variable.name.find('=') == std::string::npos);
        require(variable.value.find_first_of("\n\"") == std::string::npos);
        require(variable.value.find('\0') == std::string::npos);
    }
}

void check_file(std::string_view text) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    try {
        const auto rules = server::AccessRules::parse(text, "rules");
        for (const auto* ip : {"0.0.0.0", "10.0.0.1", "192.0.2.66", "255.255.255.255",
                               "::", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
            check_rule(rules.match(net::Address::parse_ip(ip, 1).value()), lines);
        check_rule(rules.match(net::Address::unix_path("@name")), lines);
        check_rule(rules.match(net::Address{}), lines);
    } catch (const server::RulesError& error) {
        require(error.line() >= 1 && error.line() <= lines);
        require(error.column() >= 1 && error.column() <= text.size() + 1);
    }
}

void check_peer_rule(std::string_view text) {
    try {
        (void)net::PeerRule::parse(text);
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): an answer too
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check_file(text);
    check_peer_rule(text);
    return 0;
}
