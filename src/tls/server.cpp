#include "tls/server.h"

#include "core/directory.h"
#include "core/error.h"
#include "net/tls_protocol.h"
#include "tls/certificate.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::tls {

using namespace tls_protocol;

namespace {

constexpr std::string_view suffix = ".pem";

struct Client : Judgement {
    std::string directory; // of certificates; empty if all clients get the same one
};

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Opens the file, because the sandbox does not allow access(2).
bool is_readable(const std::string& path) {
    const int number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (number >= 0) ::close(number);
    return number >= 0;
}

[[noreturn]] void fail(std::string_view what, const std::string& path, int number) {
    throw Error(fmt::format("cannot use the {} in {}: {}", what, path, first_error()), number);
}

// OpenSSL has the same calls under different names for its two kinds of objects.
struct IntoContext {
    SSL_CTX* context;
    [[nodiscard]] int chain(const char* file) const {
        return SSL_CTX_use_certificate_chain_file(context, file);
    }
    [[nodiscard]] int key(const char* file) const {
        return SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM);
    }
    [[nodiscard]] int check() const { return SSL_CTX_check_private_key(context); }
};
struct IntoSsl {
    SSL* ssl;
    [[nodiscard]] int chain(const char* file) const {
        return SSL_use_certificate_chain_file(ssl, file);
    }
    [[nodiscard]] int key(const char* file) const {
        return SSL_use_PrivateKey_file(ssl, file, SSL_FILETYPE_PEM);
    }
    [[nodiscard]] int check() const { return SSL_check_private_key(ssl); }
};

template <class Into>
void load(const Into& into, const std::string& certificate, const std::optional<std::string>& key) {
    const auto& key_file = key.value_or(certificate);
    ERR_clear_error();
    if (into.chain(certificate.c_str()) != 1) fail("certificate", certificate, bad_own_certificate);
    if (into.key(key_file.c_str()) != 1) {
        // OpenSSL compares key and certificate as soon as it has both.
        if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH) {
            ERR_clear_error();
            throw Error(fmt::format("the key in {} is not that of the certificate in {}", key_file,
                                    certificate),
                        bad_own_certificate);
        }
        fail("key", key_file, bad_own_certificate);
    }
    if (into.check() != 1) fail("key", key_file, bad_own_certificate);
}

// The name that a client asks for becomes a file name, so it must not lead out of the directory.
std::optional<std::string> safe_name(const char* asked) {
    if (asked == nullptr) return std::nullopt;
    std::string name{asked};
    constexpr std::size_t max_name = 253; // RFC 1035
    std::ranges::transform(name, name.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    });
    const bool is_plain = std::ranges::all_of(name, [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
               byte == '.';
    });
    if (name.empty() || name.size() > max_name || !is_plain || name.starts_with('.'))
        return std::nullopt;
    return name;
}

// The file in DIRECTORY for a client that asks for the name ASKED. Empty when there is none.
std::string file_for(const std::string& directory, const char* asked) {
    std::vector<std::string> names;
    if (const auto name = safe_name(asked)) {
        names.push_back(*name);
        if (const auto dot = name->find('.'); dot != std::string::npos)
            names.push_back("_" + name->substr(dot));
    }
    names.emplace_back("default");
    for (const auto& name : names) {
        auto file = fmt::format("{}/{}{}", directory, name, suffix);
        if (is_readable(file)) return file;
    }
    return {};
}

// OpenSSL calls this when the client has sent the name that it wants.
int choose_certificate(SSL* ssl, void* argument) {
    auto& client = *static_cast<Client*>(argument);
    const char* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const auto file = file_for(client.directory, asked);
    client.number = bad_own_certificate;
    if (file.empty()) {
        client.refusal = fmt::format("there is no certificate for '{}' in {}",
                                     printable(asked != nullptr ? asked : ""), client.directory);
        return 0;
    }
    try {
        load(IntoSsl{ssl}, file, std::nullopt);
    } catch (const Error& error) {
        client.refusal = error.what();
        return 0;
    }
    return 1;
}

void trust_clients(SSL_CTX* context, const std::string& file) {
    auto* const names = SSL_load_client_CA_file(file.c_str());
    if (names == nullptr || SSL_CTX_load_verify_file(context, file.c_str()) != 1)
        throw Error(fmt::format("cannot read certificates from {}: {}", file, first_error()),
                    bad_ca_file);
    SSL_CTX_set_client_CA_list(context, names); // the context owns the names now
}

Context make_server_context(const ServerConfig& config) {
    Context owner = make_context(Role::server);
    SSL_CTX* context = owner.get();
    // Refuse to resume sessions, because each process has its own keys.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    if (!is_directory(config.certificate))
        load(IntoContext{context}, config.certificate, config.key);
    if (config.client_ca) trust_clients(context, *config.client_ca);
    return owner;
}

std::string name_text(const X509_NAME* name) {
    const std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free(bio); })> out{BIO_new(BIO_s_mem())};
    if (X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
    std::array<char, 1024> text{};
    const int size = BIO_read(out.get(), text.data(), static_cast<int>(text.size()));
    // Return no name rather than a cut one, which could be mistaken for another.
    if (size <= 0 || static_cast<std::size_t>(size) == text.size()) return {};
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string common_name(const X509_NAME* name) {
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0) return {};
    const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    const std::string shown{reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                            static_cast<std::size_t>(ASN1_STRING_length(text))};
    // Return no name rather than a changed one, which could be mistaken for another.
    return printable(shown) == shown ? shown : std::string{};
}

std::string serial_number(X509* certificate) {
    const std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free(bio); })> out{BIO_new(BIO_s_mem())};
    i2a_ASN1_INTEGER(out.get(), X509_get0_serialNumber(certificate));
    std::array<char, 128> text{};
    const int size = BIO_read(out.get(), text.data(), static_cast<int>(text.size()));
    return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

} // namespace

void check(const ServerConfig& config) {
    (void)make_server_context(config);
    if (!is_directory(config.certificate)) return;
    const Directory directory{::opendir(config.certificate.c_str())};
    if (!directory) throw SysError("read", config.certificate);
    std::size_t found = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name{static_cast<const char*>(entry->d_name)};
        if (!name.ends_with(suffix)) continue;
        const Context context = make_context(Role::server);
        SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
        load(IntoContext{context.get()}, fmt::format("{}/{}", config.certificate, name),
             std::nullopt);
        ++found;
    }
    if (found == 0)
        throw Error(fmt::format("there is no certificate (NAME.pem) in {}", config.certificate),
                    bad_own_certificate);
}

Channel make_server(int network, const ServerConfig& config) {
    Context owner = make_server_context(config);
    SSL_CTX* context = owner.get();
    auto client = std::make_unique<Client>();
    if (is_directory(config.certificate)) {
        client->directory = config.certificate;
        SSL_CTX_set_cert_cb(context, choose_certificate, client.get());
    }
    if (config.client_ca) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        const auto judge = [](X509_STORE_CTX* shown, void* argument) {
            auto& judgement = *static_cast<Client*>(argument);
            if (X509_verify_cert(shown) == 1) return 1;
            judgement.number = bad_certificate;
            judgement.refusal = "the client: " + reason_of(shown, "a client");
            return 0;
        };
        SSL_CTX_set_cert_verify_callback(context, judge, client.get());
    }
    return {std::move(owner), Role::server, network, std::move(client)};
}

const std::vector<std::string>& variable_names() {
    static const std::vector<std::string> names{
        "SSL_PROTOCOL",        "SSL_CIPHER",      "SSL_TLS_SNI",
        "SSL_CLIENT_VERIFY",   "SSL_CLIENT_S_DN", "SSL_CLIENT_S_DN_CN",
        "SSL_CLIENT_M_SERIAL", "SSL_CLIENT_I_DN", "SSL_CLIENT_DN"};
    return names;
}

Variables variables_of(const Channel& channel) {
    const SSL* ssl = channel.ssl();
    Variables variables{{"SSL_PROTOCOL", SSL_get_version(ssl)},
                        {"SSL_CIPHER", SSL_get_cipher_name(ssl)}};
    if (const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name))
        variables.emplace_back("SSL_TLS_SNI", printable(asked));
    X509* const certificate = SSL_get0_peer_certificate(ssl);
    variables.emplace_back("SSL_CLIENT_VERIFY", certificate != nullptr ? "SUCCESS" : "NONE");
    if (certificate == nullptr) return variables;
    const X509_NAME* subject = X509_get_subject_name(certificate);
    variables.emplace_back("SSL_CLIENT_S_DN", name_text(subject));
    variables.emplace_back("SSL_CLIENT_DN", name_text(subject));
    variables.emplace_back("SSL_CLIENT_S_DN_CN", common_name(subject));
    variables.emplace_back("SSL_CLIENT_I_DN", name_text(X509_get_issuer_name(certificate)));
    variables.emplace_back("SSL_CLIENT_M_SERIAL", serial_number(certificate));
    return variables;
}

} // namespace ipcbox::tls
