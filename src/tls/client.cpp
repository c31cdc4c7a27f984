#include "tls/client.h"

#include "core/directory.h"
#include "core/error.h"
#include "core/words.h"
#include "net/tls_protocol.h"
#include "tls/certificate.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace ipcbox::tls {

using namespace tls_protocol;

namespace {

// The server that we want to talk to.
struct Server : Judgement {
    std::string name;
    std::optional<std::string> pins;
    bool verifies = true;
};

// RFC 6066: a client sends only host names. The zone of an IPv6 address has a meaning only on this
// machine, and the last dot of a name has no meaning here.
std::string bare_name(std::string name) {
    if (name.find(':') != std::string::npos) name.resize(std::min(name.find('%'), name.size()));
    if (name.size() > 1 && name.ends_with('.')) name.pop_back();
    return name;
}

bool has_hashed_certificates(const char* path) {
    const Directory directory{::opendir(path)};
    while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
        const std::string_view name{static_cast<const char*>(entry->d_name)};
        constexpr std::size_t digits = 8;
        if (name.size() > digits + 1 && name[digits] == '.' &&
            name.find_first_not_of("0123456789abcdef") == digits)
            return true;
    }
    return false;
}

// Trusts the system's certificates. In a directory, the file names are hashes, so OpenSSL reads
// only those that it needs. Parsing all of them takes 50 ms, ten times as long as the handshake.
// Each of OpenSSL's two variables replaces both places.
void trust_system(SSL_CTX* context) {
    const char* file = std::getenv(X509_get_default_cert_file_env());
    const char* directory = std::getenv(X509_get_default_cert_dir_env());
    if (file == nullptr && directory == nullptr) {
        directory = X509_get_default_cert_dir();
        if (!has_hashed_certificates(directory)) file = X509_get_default_cert_file();
    }
    if (directory != nullptr) SSL_CTX_load_verify_dir(context, directory);
    if (file != nullptr) SSL_CTX_load_verify_file(context, file);
    ERR_clear_error(); // an unknown issuer shows up later
}

int version_number(std::string_view version) {
    return version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
}

// Trusts every certificate that the user names, even an intermediate one or the server's own. The
// chain need not lead to a root.
void trust_users(SSL_CTX* context, const ClientConfig& config) {
    const auto fail = [](const std::string& path) {
        throw Error(fmt::format("cannot read certificates from {}: {}", path, first_error()),
                    bad_ca_file);
    };
    if (config.ca_file && SSL_CTX_load_verify_file(context, config.ca_file->c_str()) != 1)
        fail(*config.ca_file);
    if (config.ca_directory && SSL_CTX_load_verify_dir(context, config.ca_directory->c_str()) != 1)
        fail(*config.ca_directory);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
}

void load_own_certificate(SSL_CTX* context, const ClientConfig& config) {
    if (!config.certificate) return;
    const auto& key = config.key.value_or(*config.certificate);
    const auto fail = [](std::string_view what, const std::string& path) {
        throw Error(fmt::format("cannot use the {} in {}: {}", what, path, first_error()),
                    bad_own_certificate);
    };
    if (SSL_CTX_use_certificate_chain_file(context, config.certificate->c_str()) != 1)
        fail("certificate", *config.certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) fail("key", key);
}

void expect_name(SSL* ssl, const std::string& name) {
    X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1) return;
    std::string shown = name; // SSL_set_tlsext_host_name(3) is a macro with a cast
    if (SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, shown.data()) != 1 ||
        SSL_set1_host(ssl, name.c_str()) != 1)
        throw Error(fmt::format("'{}' cannot be a host name", printable(name)), handshake_failed);
}

bool is_pinned(std::string_view pins, std::string_view pin) {
    while (!pins.empty())
        if (take_until(pins, ';') == pin) return true;
    return false;
}

} // namespace

Channel make_client(int network, const ClientConfig& config) {
    Context owner = make_context(Role::client);
    SSL_CTX* context = owner.get();
    if (config.ignores_unexpected_eof) SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_min_proto_version(context, version_number(config.min_version));
    SSL_CTX_set_max_proto_version(context, version_number(config.max_version));
    if (config.ca_file || config.ca_directory)
        trust_users(context, config);
    else if (config.verifies)
        trust_system(context);
    load_own_certificate(context, config);

    auto server = std::make_unique<Server>();
    server->name = bare_name(config.name);
    server->pins = config.pins;
    server->verifies = config.verifies;
    // Verify the server before we send it anything of ours.
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const auto judge = [](X509_STORE_CTX* shown, void* argument) {
        auto& peer = *static_cast<Server*>(argument);
        if (peer.verifies && X509_verify_cert(shown) != 1) {
            peer.number = bad_certificate;
            peer.refusal = reason_of(shown, peer.name);
            return 0;
        }
        const auto pin = peer.pins ? pin_of(X509_STORE_CTX_get0_cert(shown)) : "";
        if (!peer.pins || is_pinned(*peer.pins, pin)) return 1;
        peer.number = wrong_pin;
        peer.refusal = fmt::format("the public key is another one: {}", pin);
        X509_STORE_CTX_set_error(shown, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    };
    SSL_CTX_set_cert_verify_callback(context, judge, server.get());
    if (!config.alpn.empty()) {
        const auto offer = static_cast<char>(config.alpn.size()) + config.alpn;
        const auto* bytes = reinterpret_cast<const unsigned char*>(offer.data());
        SSL_CTX_set_alpn_protos(context, bytes, static_cast<unsigned>(offer.size()));
        server->alpn = config.alpn;
    }

    const auto name = server->name;
    Channel channel{std::move(owner), Role::client, network, std::move(server)};
    expect_name(channel.ssl(), name);
    return channel;
}

} // namespace ipcbox::tls
