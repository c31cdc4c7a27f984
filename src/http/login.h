// Which login a request carries. A login that the user gave is for the first URL's origin only:
// another host, port or scheme to which a redirect leads never gets it.
#pragma once

#include "http/url.h"

#include <functional>
#include <optional>

namespace ipcbox::http {

struct LoginRules {
    std::optional<Credentials> given; // -u
    // What a netrc file has for a host, and if USER is not empty, for that user; may be empty.
    std::function<std::optional<Credentials>(const Url& url, std::string_view user)> netrc;
    bool trusts_redirects = false; // --location-trusted: every origin gets what the first gets
};

// The login for URL, to which FIRST, the user's own URL, led. The order is curl's: -u, then the
// URL's own login, then netrc. A URL that has a user and no password takes the password from netrc.
[[nodiscard]] std::optional<Credentials> login_for(const LoginRules& rules, const Url& first,
                                                   const Url& url);

} // namespace ipcbox::http
