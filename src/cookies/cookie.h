// One cookie (RFC 6265): the texts that it comes in, and the requests that it goes with. The jar
// (cookies/jar.h) keeps many.
#pragma once

#include "http/url.h"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::cookies {

struct Cookie {
    std::string name;
    std::string value;
    std::string domain; // in lower case, without a dot in front
    bool host_only = true;
    std::string path = "/";
    bool secure = false;
    bool http_only = false;
    std::optional<std::time_t> expires; // nothing: at the end of the session
    std::uint64_t age = 0;              // counts up; older cookies are sent first
};

// The cookie of a Set-Cookie field's VALUE that came from URL. Nothing when it is not one, or when
// it must not be stored: it is for a foreign domain or a public suffix, it is marked secure and
// came in the clear, or it breaks the promise of its name's prefix.
[[nodiscard]] std::optional<Cookie> parse_set_cookie(const http::Url& url, std::string_view value,
                                                     std::time_t now);
// The same for a field of a saved head, which does not say which server sent it. A cookie without a
// domain belongs to HOST; nothing when that is empty too.
[[nodiscard]] std::optional<Cookie> parse_saved_cookie(std::string_view value,
                                                       const std::string& host, std::time_t now);

// A line of Netscape's file: "domain TRUE path FALSE expiry name value", with tabs between. Nothing
// for any other line.
[[nodiscard]] std::optional<Cookie> parse_netscape_line(std::string_view line);
// The line, with its line feed.
[[nodiscard]] std::string netscape_line(const Cookie& cookie);

[[nodiscard]] bool has_expired(const Cookie& cookie, std::time_t now);
// Whether ONE takes the place of OTHER: they have the same name, domain and path.
[[nodiscard]] bool is_same(const Cookie& one, const Cookie& other);
// Whether a request for URL has the cookie. A secure one goes over https and to our own machine
// only.
[[nodiscard]] bool fits(const Cookie& cookie, const http::Url& url);
// Whether COOKIE, which came from URL, would hide the secure cookie OTHER although it came without
// TLS (rfc6265bis, section 5.7).
[[nodiscard]] bool hides_secure(const Cookie& cookie, const http::Url& url, const Cookie& other);

} // namespace ipcbox::cookies
