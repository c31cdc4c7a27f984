// TLS as a server.
#pragma once

#include "tls/channel.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ipcbox::tls {

struct ServerConfig {
    // A file (PEM): the certificate, then those of its issuers. Or a directory of such files, each
    // with its key: NAME.pem for the clients that ask for NAME (SNI), _.example.org.pem for names
    // one level below example.org, default.pem for all others.
    std::string certificate;
    std::optional<std::string> key;       // if it is not in the same file
    std::optional<std::string> client_ca; // clients have to send a certificate from these issuers
};

// Reads all files that the server may need. Throws Error, which names the file that cannot be used.
void check(const ServerConfig& config);

// Reads the files that do not depend on the name that the client asks for. Moves no byte yet.
// Throws Error.
[[nodiscard]] Channel make_server(int network, const ServerConfig& config);

// To be called after the handshake: the variables that describe it to a program, under the names of
// mod_ssl, ucspi-ssl and stunnel (SSL_PROTOCOL, SSL_CLIENT_S_DN and so on). All values are
// printable ASCII.
using Variables = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Variables variables_of(const Channel& channel);

// The names of all variables that there can be.
[[nodiscard]] const std::vector<std::string>& variable_names();

} // namespace ipcbox::tls
