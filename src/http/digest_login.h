// Digest authentication (RFC 7616): the server is shown that we know the password, and never the
// password itself. MD5 and SHA-256, both also as "-sess"; qop=auth, or none as RFC 2069 had it.
#pragma once

#include "http/url.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {

struct ResponseHead;

// One thing that a server offers in WWW-Authenticate or Proxy-Authenticate (RFC 9110, section 11).
struct AuthChallenge {
    struct Parameter {
        std::string name; // in lower case
        std::string value;
    };
    std::string scheme; // "digest", in lower case
    std::vector<Parameter> parameters;

    // Empty when it is not there.
    [[nodiscard]] std::string_view find(std::string_view name) const;
};

// All of a field's value, "Basic realm="x", Digest ...". What cannot be understood is skipped.
[[nodiscard]] std::vector<AuthChallenge> parse_challenges(std::string_view value);

class DigestChallenge {
  public:
    // The strongest that HEAD offers in its fields FIELD_NAME; nothing when it offers none that we
    // can answer.
    [[nodiscard]] static std::optional<DigestChallenge> find(const ResponseHead& head,
                                                             std::string_view field_name);

    // The login was right and only its nonce is too old: it may be tried again at once.
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
