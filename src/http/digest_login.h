// Digest authentication (RFC 7616): we prove to the server that we know the password, and never
// send the password itself. It supports MD5 and SHA-256, both also as "-sess", and qop=auth, or no
// qop as in RFC 2069.
#pragma once

#include "http/url.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {

struct ResponseHead;

// One challenge that a server offers in WWW-Authenticate or Proxy-Authenticate (RFC 9110, section
// 11).
struct AuthChallenge {
    struct Parameter {
        std::string name; // in lower case
        std::string value;
    };
    std::string scheme; // "digest", in lower case
    std::vector<Parameter> parameters;

    // The value of parameter NAME; empty when there is none.
    [[nodiscard]] std::string_view find(std::string_view name) const;
};

// All of a field's value, "Basic realm="x", Digest ...". Invalid parts are skipped.
[[nodiscard]] std::vector<AuthChallenge> parse_challenges(std::string_view value);

class DigestChallenge {
  public:
    // The strongest challenge in HEAD's fields FIELD_NAME; nothing when we can answer none of them.
    [[nodiscard]] static std::optional<DigestChallenge> find(const ResponseHead& head,
                                                             std::string_view field_name);

    // Whether the login was right and only its nonce too old. Then try again at once.
    [[nodiscard]] bool is_stale() const { return stale_; }

    // The value of the Authorization field for a request of METHOD for TARGET. CLIENT_NONCE is
    // random; each call counts up. Throws TransferError for a user name with control characters in
    // it.
    [[nodiscard]] std::string answer(const Credentials& login, std::string_view method,
                                     std::string_view target, std::string_view client_nonce);

  private:
    std::string realm_;
    std::string nonce_;
    std::string opaque_;
    std::string algorithm_; // as the server wrote it; empty: MD5
    bool sha256_ = false;
    bool session_ = false;
    bool has_opaque_ = false;
    bool quality_ = false; // qop=auth
    bool user_hash_ = false;
    bool stale_ = false;
    std::uint32_t count_ = 0; // of answers to this nonce
};

// Whether HEAD offers SCHEME ("basic") in its fields FIELD_NAME.
[[nodiscard]] bool offers(const ResponseHead& head, std::string_view field_name,
                          std::string_view scheme);

} // namespace ipcbox::http
