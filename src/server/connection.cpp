#include "server/connection.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::server {

std::string Connection::peer_text() const {
    if (!peer_name.empty()) return peer_name;
    if (credentials) return fmt::format("process {}", credentials->pid);
    return peer.is_unix() ? "an unknown process" : peer.host();
}

std::vector<std::string> ucspi_environment(const Connection& connection) {
    std::vector<std::string> variables;
    const auto set = [&variables](std::string_view name, const auto& value) {
        variables.push_back(fmt::format("{}={}", name, value));
    };
    if (!connection.local.is_unix()) {
        set("PROTO", "TCP");
        set("TCPLOCALIP", connection.local.host());
        set("TCPLOCALPORT", connection.local.port());
        set("TCPREMOTEIP", connection.peer.host());
        set("TCPREMOTEPORT", connection.peer.port());
        set("TCPCONNNUM", connection.number);
        if (!connection.peer_name.empty()) set("TCPREMOTEHOST", connection.peer_name);
        return variables;
    }
    set("PROTO", "UNIX");
    for (const std::string_view family : {"UNIX", "IPC"}) {
        set(fmt::format("{}LOCALPATH", family), connection.local.host());
        set(fmt::format("{}LOCALUID", family), ::getuid());
        set(fmt::format("{}LOCALGID", family), ::getgid());
        set(fmt::format("{}REMOTEPATH", family), connection.peer.host());
        set(fmt::format("{}CONNNUM", family), connection.number);
        if (!connection.credentials) continue;
        set(fmt::format("{}REMOTEPID", family), connection.credentials->pid);
        set(fmt::format("{}REMOTEEUID", family), connection.credentials->uid);
        set(fmt::format("{}REMOTEEGID", family), connection.credentials->gid);
    }
    return variables;
}

bool is_ucspi_name(std::string_view name) {
    constexpr std::array families{"TCP", "UNIX", "IPC", "SSL"};
    constexpr std::array kinds{"LOCAL", "REMOTE", "CONNNUM"};
    for (const std::string_view family : families)
        for (const std::string_view kind : kinds)
            if (name.starts_with(family) && name.substr(family.size()).starts_with(kind))
                return true;
    // A program must not take another client's certificate for that of its own.
    constexpr std::array<std::string_view, 3> of_tls{"SSL_PROTOCOL", "SSL_CIPHER", "SSL_TLS_SNI"};
    return name == "PROTO" || name.starts_with("SSL_CLIENT_") ||
           std::ranges::find(of_tls, name) != of_tls.end();
}

} // namespace ipcbox::server
