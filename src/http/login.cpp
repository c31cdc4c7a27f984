#include "http/login.h"

namespace ipcbox::http {

std::optional<Credentials> login_for(const LoginRules& rules, const Url& first, const Url& url) {
    const bool is_trusted = rules.trusts_redirects || url.same_origin(first);
    auto login = url.credentials;
    if (is_trusted && rules.given)
        login = rules.given;
    else if (is_trusted && !login)
        login = first.credentials;
    if (!rules.netrc || (login && !login->password.empty())) return login;
    // A login with a user and no password may have its password in the file.
    const auto known = rules.netrc(url, login ? login->user : std::string{});
    return known ? known : login;
}

} // namespace ipcbox::http
