#include "front/tls_options.h"

#include "cli/values.h"

namespace ipcbox::front {

void declare(cli::Options& options, net::TlsOptions& into) {
    options.flag("-k,--insecure", into.insecure, "TLS: accept any certificate from the server");
    options.value("--cacert FILE", into.ca_file, cli::parse_file,
                  "TLS: trust the issuers in FILE (PEM) instead of those of the system");
    options.value("--cert FILE", into.certificate, cli::parse_file,
                  "TLS: if the server asks for a certificate, send this one (PEM)");
    options.value("--key FILE", into.key, cli::parse_file,
                  "TLS: the private key of --cert (PEM), if it is in another file");
    options.value("--pinnedpubkey PINS", into.pins, net::parse_pins,
                  "TLS: require one of these public keys: sha256//BASE64[;...]");
}

bool says_something(const net::TlsOptions& options) {
    return options.insecure || options.ca_file || options.certificate || options.key ||
           options.pins;
}

} // namespace ipcbox::front
