// http and https URLs (RFC 3986, RFC 9110 section 4.2), as users write them and as servers send
// them in Location.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ipcbox::http {

// A login. Neither part is percent-encoded; the password may be empty.
struct Credentials {
    std::string user;
    std::string password;

    friend bool operator==(const Credentials&, const Credentials&) = default;
};

// The second part of a URL (RFC 3986, section 3.2): "user:password@host:port".
struct Authority {
    std::optional<Credentials> credentials;
    std::string host;                  // as in Url
    std::optional<std::uint16_t> port; // nothing when none was written, or only its colon

    // Throws std::invalid_argument, as Url::parse() does.
    [[nodiscard]] static Authority parse(std::string_view text);
};

// A URL for a protocol other than HTTP and HTTPS.
struct OtherScheme : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

struct Url {
    std::string scheme; // "http" or "https"
    std::optional<Credentials> credentials;
    // The host in lower case. An IPv6 address has no brackets and is in its canonical form; an
    // interface may follow it, as in "fe80::1%eth0" (RFC 6874).
    std::string host;
    std::uint16_t port = 0;
    // The target of a request (RFC 9112, section 3.2.1): the path, which begins with '/', and the
    // query. All of it is printable ASCII: other characters and spaces are percent-encoded, as
    // browsers do it. "." and ".." are resolved, as curl does it.
    std::string target;
    std::string fragment; // "#part", encoded like the target; never sent to a server

    // Parses TEXT. Throws std::invalid_argument, saying what was expected: for another scheme
    // (OtherScheme), for control characters (they could begin a new line of a request), for a bad
    // port, and for a host that is empty or has characters that names do not have. A name beyond
    // ASCII must be written in its xn-- form. An address in an old form, such as 127.1 or
    // 0x7f000001, becomes the usual form.
    [[nodiscard]] static Url parse(std::string_view text);

    // The URL that REFERENCE means, relative to this one or absolute (RFC 3986, section 5.2). The
    // credentials stay when REFERENCE names no host. Throws as parse() does.
    [[nodiscard]] Url resolve(std::string_view reference) const;

    // Puts QUERY after the target's own query, encoded where it is needed. Throws
    // std::invalid_argument for control characters.
    void add_query(std::string_view query);

    // The value of a Host field: "host", "host:8080", "[::1]:8080". It leaves out the scheme's
    // default port, and every interface, whose name means nothing elsewhere.
    [[nodiscard]] std::string authority() const;

    // The whole URL without the credentials and the fragment, for people and for parse().
    [[nodiscard]] std::string text() const;
    // Some logins put their token into the fragment, which is for the client.
    [[nodiscard]] std::string text_with_fragment() const { return text() + fragment; }

    // The name for the document's file: safe_file_name() of the path's last segment, decoded.
    [[nodiscard]] std::string file_name() const;

    // Whether scheme, host and port are the same (RFC 6454). Only then may a secret for one go to
    // the other.
    [[nodiscard]] bool same_origin(const Url& other) const;

    [[nodiscard]] bool is_https() const { return scheme == "https"; }
};

// TEXT with each %XX replaced by its byte. Malformed triplets stay.
[[nodiscard]] std::string percent_decoded(std::string_view text);

// Each byte that is not unreserved (RFC 3986, section 2.3) as %XX: a name as one segment of a path.
[[nodiscard]] std::string percent_encoded(std::string_view text);

// A name that a server may give to a file of ours: '/' and control characters become '_'. Empty for
// "", "." and "..", which name no file.
[[nodiscard]] std::string safe_file_name(std::string_view name);

} // namespace ipcbox::http
