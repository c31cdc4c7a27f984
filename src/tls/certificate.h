// What is wrong with a certificate, in words.
#pragma once

#include <openssl/x509.h>
#include <string>
#include <string_view>

namespace ipcbox::tls {

// Why X509_verify_cert(3) refused a certificate that had to be for NAME: "the certificate expired
// on 2024-03-01 12:00:00 UTC", "the certificate is for a.example and b.example, not for NAME".
[[nodiscard]] std::string reason_of(X509_STORE_CTX* refused, std::string_view name);

// "sha256//BASE64" of its public key (RFC 7469).
[[nodiscard]] std::string pin_of(X509* certificate);

// TEXT in one line of printable ASCII, of bounded length.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace ipcbox::tls
