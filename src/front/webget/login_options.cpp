#include "front/webget/login_options.h"

#include "core/ascii.h"
#include "core/random.h"
#include "core/user.h"
#include "http/digest.h"
#include "http/digest_login.h"
#include "http/failure.h"
#include "http/netrc.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::front {

namespace {

bool has_field(const http::RequestOptions& request, std::string_view name) {
    return std::ranges::any_of(request.fields, [name](const http::CustomField& custom) {
        return ascii::same_but_for_case(custom.field.name, name);
    });
}

// Sends the login only when the server has said which scheme it wants.
void answer_challenges(const Line& line, download::DownloadOptions& download) {
    download.login_scheme = download::DownloadOptions::LoginScheme::by_challenge;
    download.answer_challenge = [rules = download.login, basic = line.any_login](
                                    const download::Target& target, const http::Url& url,
                                    const std::string& method, const http::ResponseHead& head,
                                    int answered) -> std::optional<http::Field> {
        constexpr std::string_view offer = "WWW-Authenticate";
        const auto login = http::login_for(rules, target.url, url);
        if (!login || answered > 1) return std::nullopt;
        if (auto challenge = http::DigestChallenge::find(head, offer)) {
            // If our first answer was refused and the nonce is not stale, the password is wrong.
            if (answered > 0 && !challenge->is_stale()) return std::nullopt;
            const auto nonce = fmt::format("{:016x}", RandomNumbers{}.next());
            return http::Field{"Authorization",
                               challenge->answer(*login, method, url.target, nonce)};
        }
        if (!basic || answered > 0 || !http::offers(head, offer, "basic")) return std::nullopt;
        return http::Field{"Authorization",
                           "Basic " + http::base64(login->user + ':' + login->password)};
    };
}

} // namespace

void set_logins(const Line& line, download::DownloadOptions& download) {
    auto& login = download.login;
    const bool reads_netrc = line.netrc || line.netrc_file;
    if (line.login) {
        // curl would ask for the password on the terminal.
        if (!line.login->has_password && !reads_netrc)
            throw cli::UsageError(
                fmt::format("--user '{}': expected USER:PASSWORD (or --netrc, which has passwords)",
                            line.login->login.user));
        login.given = line.login->login;
    }
    if (reads_netrc) {
        const auto path = line.netrc_file.value_or(current_user().home + "/.netrc");
        login.netrc = [text = http::load_netrc(path)](const http::Url& url, std::string_view user) {
            return http::credentials_for(text, url.host, user);
        };
    }
    login.trusts_redirects = line.follow_trusting;
    if (line.digest || line.any_login) answer_challenges(line, download);
    auto& request = download.request;
    if (line.bearer && !has_field(request, "Authorization"))
        request.fields.push_back({{"Authorization", "Bearer " + *line.bearer}, false});
}

void set_redirect_rule(const Line& line, download::DownloadOptions& download) {
    const auto schemes = line.redirect_schemes.value_or(line.schemes);
    const bool may_go_down = line.redirect_schemes && line.redirect_schemes->http;
    download.check_redirect = [schemes, may_go_down](const http::Url& from, const http::Url& to) {
        if (!schemes.allow(to))
            throw http::TransferError(
                fmt::format("redirected to {}, and {} is not allowed (--proto, --proto-redir)",
                            to.text(), to.scheme),
                http::status::protocol_not_allowed);
        if (from.is_https() && !to.is_https() && !may_go_down)
            throw http::TransferError(fmt::format("redirected to {}, which is not encrypted "
                                                  "(--proto-redir =http,https allows it)",
                                                  to.text()),
                                      http::status::malformed_url);
    };
}

} // namespace ipcbox::front
