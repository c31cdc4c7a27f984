#include "tls/certificate.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <span>
#include <vector>

namespace ipcbox::tls {

namespace {

constexpr std::size_t max_text = 200;
constexpr std::size_t max_names = 5;

template <auto function> struct Freer {
    template <class Object> void operator()(Object* object) const { function(object); }
};

std::span<const unsigned char> bytes_of(const ASN1_STRING* string) {
    return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string text_of(const ASN1_STRING* string) {
    const auto bytes = bytes_of(string);
    return printable(std::string{bytes.begin(), bytes.end()});
}

// "O = Example, CN = Example CA"
std::string text_of(const X509_NAME* name) {
    const std::unique_ptr<BIO, Freer<BIO_free>> out{BIO_new(BIO_s_mem())};
    std::array<char, max_text> text{};
    if (X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) < 0)
        return "nobody";
    const int size = BIO_read(out.get(), text.data(), static_cast<int>(text.size()));
    return printable({text.data(), static_cast<std::size_t>(std::max(size, 0))});
}

std::string date_of(const ASN1_TIME* time) {
    tm fields{};
    if (ASN1_TIME_to_tm(time, &fields) != 1) return "a date that makes no sense";
    constexpr int first_year = 1900;
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", fields.tm_year + first_year,
                       fields.tm_mon + 1, fields.tm_mday, fields.tm_hour, fields.tm_min,
                       fields.tm_sec);
}

// Empty for names of other kinds, such as mail addresses.
std::string text_of(const GENERAL_NAME* name) {
    int kind = 0;
    const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &kind));
    if (kind == GEN_DNS) return text_of(value);
    if (kind != GEN_IPADD) return {};
    const auto bytes = bytes_of(value);
    const int family = bytes.size() == sizeof(in_addr)    ? AF_INET
                       : bytes.size() == sizeof(in6_addr) ? AF_INET6
                                                          : AF_UNSPEC;
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(family, bytes.data(), text.data(), text.size()) != nullptr ? text.data()
                                                                                  : "";
}

// The names that the certificate is for: its alternative names, or else its common name (RFC 6125).
std::string names_of(const X509* certificate) {
    std::vector<std::string> names;
    const std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>> alternatives{
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    std::size_t others = 0;
    for (int at = 0; at < sk_GENERAL_NAME_num(alternatives.get()); ++at) {
        auto text = text_of(sk_GENERAL_NAME_value(alternatives.get(), at));
        if (text.empty()) continue;
        if (names.size() < max_names)
            names.push_back(std::move(text));
        else
            ++others;
    }
    if (names.empty()) {
        const X509_NAME* subject = X509_get_subject_name(certificate);
        const int common = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
        if (common < 0) return "nobody";
        return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, common)));
    }
    const auto more = others > 0 ? fmt::format(" and {} more", others) : "";
    return fmt::format("{}{}", fmt::join(names, ", "), more);
}

std::string size_of_key(const X509* certificate) {
    const EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key == nullptr) return "unreadable";
    const char* kind = EVP_PKEY_get0_type_name(key);
    return fmt::format("{}, {} bits", kind != nullptr ? kind : "?", EVP_PKEY_get_bits(key));
}

} // namespace

std::string printable(std::string_view text) {
    std::string line{text.substr(0, max_text)};
    std::ranges::replace_if(
        line, [](char byte) { return byte < ' ' || byte > '~'; }, '?');
    return line;
}

std::string reason_of(X509_STORE_CTX* refused, std::string_view name) {
    const int error = X509_STORE_CTX_get_error(refused);
    const X509* certificate = X509_STORE_CTX_get_current_cert(refused);
    if (certificate == nullptr) return X509_verify_cert_error_string(error);
    const auto which = X509_STORE_CTX_get_error_depth(refused) == 0
                           ? std::string{"the certificate"}
                           : fmt::format("the certificate of its issuer ({})",
                                         text_of(X509_get_subject_name(certificate)));
    const auto issuer = [&] { return text_of(X509_get_issuer_name(certificate)); };
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return fmt::format("{} expired on {}", which, date_of(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return fmt::format("{} is not valid before {}", which,
                           date_of(X509_get0_notBefore(certificate)));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return fmt::format("{} is for {}, not for {}", which, names_of(certificate), name);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return fmt::format("{} is self-signed ({}), and not one of those that are trusted", which,
                           issuer());
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return fmt::format("{} comes from an unknown issuer ({})", which, issuer());
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        return fmt::format("{} has too weak a key ({})", which, size_of_key(certificate));
    default:
        return fmt::format("{} is refused: {}", which, X509_verify_cert_error_string(error));
    }
}

std::string pin_of(X509* certificate) {
    unsigned char* encoded = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded);
    if (size < 0) return {};
    const std::unique_ptr<unsigned char,
                          decltype([](unsigned char* bytes) { OPENSSL_free(bytes); })>
        owner{encoded};
    constexpr std::size_t digest_size = 32;
    std::array<unsigned char, digest_size> digest{};
    std::array<char, 4 * ((digest_size + 2) / 3) + 1> base64{};
    if (EVP_Digest(encoded, static_cast<std::size_t>(size), digest.data(), nullptr, EVP_sha256(),
                   nullptr) != 1)
        return {};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast)
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), digest.data(),
                    static_cast<int>(digest.size()));
    return fmt::format("sha256//{}", base64.data());
}

} // namespace ipcbox::tls
