#include "front/tls_options.h"

#include "cli/values.h"

namespace ipcbox::front {

void declare(cli::Options& options, net::TlsOptions& into) {
    options.flag("-k,--insecure", into.insecure, "TLS: accept any certificate of the server");
    options.value("--cacert FILE", into.ca_file, cli::parse_text,
                  "TLS: trust these issuers (PEM) instead of the system's");
    options.value("--cert FILE", into.certificate, cli::parse_text,
                  "TLS: send this certificate (PEM) when the server asks for one");
    options.value("--key FILE", into.key, cli::parse_text,
                  "TLS: the key of --cert (PEM), unless it is in the same file");
    options.value("--pinnedpubkey PINS", into.pins, net::parse_pins,
                  "TLS: the server must have one of these public keys: sha256//BASE64[;...]");
}

bool says_something(const net::TlsOptions& options) {
    return options.insecure || options.ca_file || options.certificate || options.key ||
           options.pins;
}

} // namespace ipcbox::front
