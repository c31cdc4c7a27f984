// TLS as a client.
#pragma once

#include "tls/channel.h"

#include <optional>
#include <string>

namespace ipcbox::tls {

struct ClientConfig {
    std::string name; // the host name or IP address that the certificate has to be for
    std::optional<std::string> ca_file; // instead of the system's certificates
    std::optional<std::string> ca_directory;
    std::string min_version = "1.2";
    std::string max_version = "1.3";
    std::optional<std::string> certificate; // of ours
    std::optional<std::string> key;         // if it is not in the same file
    // Public keys, one of which the peer has to have: "sha256//BASE64;sha256//BASE64".
    std::optional<std::string> pins;
    bool verifies = true;
    bool ignores_unexpected_eof = false; // accepts an end without a close_notify
    std::string alpn; // the protocol that the server has to choose (RFC 7301); empty: none
};

// Reads the files. Moves no byte yet. Throws Error.
[[nodiscard]] Channel make_client(int network, const ClientConfig& config);

} // namespace ipcbox::tls
