#include "server/access.h"

#include "core/counted.h"
#include "net/network.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::server {

Access::Access(Limits limits, Trouble trouble)
    : limits_(std::move(limits)), trouble_(std::move(trouble)) {
    if (!limits_.rules_file.empty()) file_.emplace(limits_.rules_file);
}

std::optional<std::string> Access::refuse(OpenConnection& connection) {
    auto reason =
        connection.told.local.is_unix() ? refuse_process(connection) : refuse_address(connection);
    if (reason) return reason;
    auto& told = connection.told;
    const auto client = told.credentials ? fmt::format("{}", told.credentials->uid)
                                         : std::string{told.peer.ip_bytes()};
    told.number = connection.place.enter_client(client);
    return std::nullopt;
}

std::optional<std::string> Access::refuse_process(OpenConnection& connection) const {
    const auto& rules = limits_.peer_rules;
    const bool asks = std::ranges::any_of(rules, &net::PeerRule::asks_for_program);
    const auto peer =
        net::PeerProcess::of(connection.socket.get(), asks ? net::PeerProcess::Handle::take
                                                           : net::PeerProcess::Handle::none);
    connection.told.credentials = static_cast<const net::PeerCredentials&>(peer);
    const bool is_allowed = rules.empty() || std::ranges::any_of(rules, [&peer](const auto& rule) {
                                return rule.matches(peer);
                            });
    if (is_allowed) return std::nullopt;
    return "no --allow rule lets it in";
}

std::optional<std::string> Access::refuse_address(OpenConnection& connection) {
    const auto& told = connection.told;
    auto max = limits_.per_network;
    if (file_) {
        const std::lock_guard lock{mutex_};
        // If the proxy did not name the client, only a rule for "all" can match.
        const auto* const rule =
            file_->current().match(told.is_peer_the_client ? told.peer : net::Address{});
        if (const auto error = file_->take_error())
            trouble_(*error + "; the old rules stay in force");
        if (rule == nullptr) return "no line of the rules is for it";
        if (!rule->allow) return fmt::format("line {} of the rules denies it", rule->line);
        for (const auto& [name, value] : rule->variables)
            connection.variables.push_back(fmt::format("{}={}", name, value));
        if (rule->limit) max = rule->limit;
    }
    if (!max) return std::nullopt;
    const auto network =
        net::network_key(told.peer, limits_.network_bits_4, limits_.network_bits_6);
    if (connection.place.enter_network(network, *max)) return std::nullopt;
    return fmt::format("it has {} already", counted(*max, "connection"));
}

} // namespace ipcbox::server
