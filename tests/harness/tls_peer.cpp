#include "harness/tls_peer.h"

#include "core/error.h"
#include "core/signals.h"

#include <array>
#include <atomic>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <sys/socket.h>

namespace ipcbox::test {

namespace {

template <auto function> struct Freer {
    template <class Object> void operator()(Object* object) const { function(object); }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;

[[noreturn]] void fail(std::string_view what) {
    const char* reason = ERR_reason_error_string(ERR_get_error());
    throw Error(fmt::format("TLS peer: {}: {}", what, reason != nullptr ? reason : "no reason"));
}

void check(int result, std::string_view what) {
    if (result <= 0) fail(what);
}

std::string contents(BIO* bio) {
    std::string text(BIO_ctrl_pending(bio), '\0');
    check(BIO_read(bio, text.data(), static_cast<int>(text.size())), "read");
    return text;
}

EVP_PKEY* make_key(unsigned rsa_bits) {
    return rsa_bits > 0 ? EVP_RSA_gen(rsa_bits) : EVP_EC_gen("P-256");
}

} // namespace

struct Certificate::Parts {
    std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> key;
    std::unique_ptr<X509, Freer<X509_free>> x509;

    void add(int kind, const std::string& value, X509* issuer) const {
        X509V3_CTX context{};
        X509V3_set_ctx(&context, issuer, x509.get(), nullptr, nullptr, 0);
        const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> extension{
            X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
        if (!extension) fail("extension");
        check(X509_add_ext(x509.get(), extension.get(), -1), "extension");
    }
};

Certificate::Certificate(const Plan& plan, const Certificate* issuer)
    : parts_(new Parts{decltype(Parts::key){make_key(plan.rsa_bits)},
                       decltype(Parts::x509){X509_new()}}) {
    static std::atomic<long> serial{1};
    X509* const x509 = parts_->x509.get();
    if (!parts_->key) fail("key");
    const Parts& signer = issuer != nullptr ? *issuer->parts_ : *parts_;
    check(X509_set_version(x509, X509_VERSION_3), "version");
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x509), plan.from.count());
    X509_gmtime_adj(X509_getm_notAfter(x509), plan.until.count());
    check(X509_set_pubkey(x509, parts_->key.get()), "key");
    const std::basic_string<unsigned char> name{plan.common_name.begin(), plan.common_name.end()};
    check(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8, name.data(),
                                     static_cast<int>(name.size()), -1, 0),
          "name");
    check(X509_set_issuer_name(x509, X509_get_subject_name(signer.x509.get())), "issuer");
    if (!plan.names.empty() && !plan.is_authority)
        parts_->add(NID_subject_alt_name, plan.names, signer.x509.get());
    if (plan.is_authority)
        parts_->add(NID_basic_constraints, "critical,CA:TRUE", signer.x509.get());
    check(X509_sign(x509, signer.key.get(), EVP_sha256()), "sign");
}

Certificate::~Certificate() = default;

std::string Certificate::pem() const {
    const Bio out{BIO_new(BIO_s_mem())};
    check(PEM_write_bio_X509(out.get(), parts_->x509.get()), "PEM");
    return contents(out.get());
}

std::string Certificate::key_pem() const {
    const Bio out{BIO_new(BIO_s_mem())};
    check(PEM_write_bio_PrivateKey(out.get(), parts_->key.get(), nullptr, nullptr, 0, nullptr,
                                   nullptr),
          "PEM");
    return contents(out.get());
}

std::string Certificate::pin() const {
    // As openssl(1) does it, which is not the way under test.
    const Bio out{BIO_new(BIO_s_mem())};
    check(i2d_PUBKEY_bio(out.get(), parts_->key.get()), "public key");
    const auto encoded = contents(out.get());
    std::array<unsigned char, 32> digest{};
    std::array<unsigned char, 45> base64{};
    check(EVP_Digest(encoded.data(), encoded.size(), digest.data(), nullptr, EVP_sha256(), nullptr),
          "digest");
    EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
    return "sha256//" + std::string{base64.begin(), base64.end() - 1};
}

void TlsConnection::Closer::operator()(ssl_st* ssl) const {
    SSL_free(ssl);
}

TlsConnection::TlsConnection(ssl_ctx_st* context, const Fd& client)
    : client_(client), ssl_(SSL_new(context)) {
    ERR_clear_error();
    check(SSL_set_fd(ssl_.get(), client.get()), "socket");
    check(SSL_accept(ssl_.get()), "handshake");
}

TlsConnection::~TlsConnection() = default;

std::string TlsConnection::receive() {
    ERR_clear_error();
    std::string text(64UL * 1024, '\0');
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), text.data(), text.size(), &got);
    if (result <= 0 && SSL_get_error(ssl_.get(), result) != SSL_ERROR_ZERO_RETURN) fail("read");
    text.resize(got);
    return text;
}

std::string TlsConnection::receive_at_least(std::size_t size) {
    std::string all;
    while (all.size() < size) {
        const auto text = receive();
        if (text.empty()) break;
        all += text;
    }
    return all;
}
std::string TlsConnection::receive_all() {
    std::string all;
    for (auto text = receive(); !text.empty(); text = receive())
        all += text;
    return all;
}

void TlsConnection::say(std::string_view text) {
    ERR_clear_error();
    std::size_t sent = 0;
    if (!text.empty()) check(SSL_write_ex(ssl_.get(), text.data(), text.size(), &sent), "write");
}

void TlsConnection::end() {
    ERR_clear_error();
    if (SSL_shutdown(ssl_.get()) < 0) fail("shutdown");
}

void TlsConnection::reset() {
    const sockaddr nobody{AF_UNSPEC, {}};
    if (::connect(client_.get(), &nobody, sizeof nobody) < 0) throw SysError("reset", "a client");
}

std::string TlsConnection::asked_name() const {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
}

void TlsPeer::Closer::operator()(ssl_ctx_st* context) const {
    SSL_CTX_free(context);
}

TlsPeer::TlsPeer(const Plan& plan, Work work) : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX* const context = context_.get();
    SSL_CTX_set_security_level(context, plan.security_level);
    if (plan.version) SSL_CTX_set_max_proto_version(context, *plan.version);
    if (plan.version) SSL_CTX_set_min_proto_version(context, *plan.version);
    const auto& parts = plan.certificate->parts();
    check(SSL_CTX_use_certificate(context, parts.x509.get()), "certificate");
    check(SSL_CTX_use_PrivateKey(context, parts.key.get()), "key");
    if (plan.issuer != nullptr)
        check(static_cast<int>(SSL_CTX_add1_chain_cert(context, plan.issuer->parts().x509.get())),
              "chain");
    if (plan.client_issuer != nullptr) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context),
                            plan.client_issuer->parts().x509.get());
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    peer_.emplace([context, work = std::move(work)](const Fd& client) {
        const BlockedSignals blocked{signal_set({SIGPIPE})}; // OpenSSL writes with write(2)
        TlsConnection connection{context, client};
        work(connection);
        ::shutdown(client.get(), SHUT_WR);
        (void)test::receive_all(client);
    });
}

TlsPeer::~TlsPeer() = default;

} // namespace ipcbox::test
