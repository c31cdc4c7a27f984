#include "front/tls_options.h"

#include "cli/values.h"

namespace ipcbox::front {

void declare(cli::Options& options, net::TlsOptions& into) {
    options.flag("-k,--insecure", into.insecure, "TLS: whatever the server's certificate is");
    options.value("--cacert FILE", into.ca_file, cli::parse_text,
                  "TLS: trust these issuers (PEM) instead of the system's");
    options.value("--cert FILE", into.certificate, cli::parse_text,
                  "TLS: our certificate (PEM), with its key or not");
    options.value("--key FILE", into.key, cli::parse_text, "TLS: the key of our certificate (PEM)");
    options.value("--pinnedpubkey PINS", into.pins, net::parse_pins,
                  "TLS: the server's public key, sha256//BASE64, several with ; between");
}

bool says_something(const net::TlsOptions& options) {
    return options.insecure || options.ca_file || options.certificate || options.key ||
           options.pins;
}

} // namespace ipcbox::front
