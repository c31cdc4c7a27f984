// Chooses the login that a request carries. A login that the user gave is only for the origin of
// the first URL: when a redirect leads to another host, port or scheme, that one never gets it.
#pragma once

#include "http/url.h"

#include <functional>
#include <optional>

namespace ipcbox::http {

struct LoginRules {
    std::optional<Credentials> given; // -u
    // Looks up the login for a host in a netrc file, and for USER if that is not empty. The
    // function may be empty.
    std::function<std::optional<Credentials>(const Url& url, std::string_view user)> netrc;
    bool trusts_redirects = false; // --location-trusted: every origin gets what the first gets
};

// The login for URL, to which FIRST, the user's own URL, led. The order is curl's: -u, then the
// URL's own login, then netrc. A URL that has a user and no password takes the password from netrc.
[[nodiscard]] std::optional<Credentials> login_for(const LoginRules& rules, const Url& first,
                                                   const Url& url);

} // namespace ipcbox::http
