#include "http/cookies.h"

#include "core/ascii.h"
#include "core/number.h"
#include "core/text_lines.h"
#include "http/cookie_date.h"
#include "http/public_suffix.h"
#include "http/response_parser.h"
#include "net/address.h"

#include <algorithm>
#include <fmt/core.h>
#include <iterator>
#include <limits>

namespace ipcbox::http {

namespace {

constexpr std::string_view http_only_mark = "#HttpOnly_";

// Removes the text before the first MARK, and MARK itself; returns that text.
std::string_view take_until(std::string_view& text, char mark) {
    const auto piece = text.substr(0, text.find(mark));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    return piece;
}

bool is_address(std::string_view host) {
    return net::Address::parse_ip(host.substr(0, host.find('%')), 0).has_value();
}

// RFC 6265, section 5.1.3.
bool domain_matches(std::string_view host, std::string_view domain) {
    if (host == domain) return true;
    return host.size() > domain.size() && host.ends_with(domain) &&
           host[host.size() - domain.size() - 1] == '.' && !is_address(host);
}

std::string_view path_of(const Url& url) {
    return std::string_view{url.target}.substr(0, url.target.find('?'));
}

// RFC 6265, section 5.1.4.
std::string default_path(const Url& url) {
    const auto path = path_of(url);
    const auto end = path.rfind('/');
    return end == 0 || end == std::string_view::npos ? "/" : std::string{path.substr(0, end)};
}
bool path_matches(std::string_view path, std::string_view of_cookie) {
    if (!path.starts_with(of_cookie)) return false;
    return path.size() == of_cookie.size() || of_cookie.ends_with('/') ||
           path[of_cookie.size()] == '/';
}

// Whether no stranger can listen on the way to this host. Like curl, we send secure cookies there.
bool is_private_way(const Url& url) {
    return url.is_https() || url.host == "localhost" || url.host == "127.0.0.1" ||
           url.host == "::1";
}

bool has_expired(const Cookie& cookie, std::time_t now) {
    return cookie.expires && *cookie.expires <= now;
}

bool is_same(const Cookie& one, const Cookie& other) {
    return one.name == other.name && one.domain == other.domain && one.path == other.path &&
           one.host_only == other.host_only;
}

// "Max-Age=60", counted from now. A value that is not a number is ignored.
std::optional<std::time_t> expiry_from_age(std::string_view text, std::time_t now) {
    constexpr auto latest = std::numeric_limits<std::int64_t>::max();
    const bool back = text.starts_with('-');
    const auto digits = back ? text.substr(1) : text;
    if (digits.empty() || !std::ranges::all_of(digits, ascii::is_digit)) return std::nullopt;
    if (back) return 0;
    const auto age = whole_number<std::int64_t>(digits).value_or(latest);
    if (age == 0) return 0;
    return age > latest - now ? latest : now + age;
}

// The attributes of one Set-Cookie field. Of a repeated one, the last counts.
struct Attributes {
    std::string domain;
    std::string path;
    bool secure = false;
    bool http_only = false;
    std::optional<std::time_t> max_age;
    std::optional<std::time_t> expires;

    void read(std::string_view text, std::time_t now) {
        while (!text.empty()) {
            auto value = trimmed(take_until(text, ';'));
            const auto name = trimmed(take_until(value, '='));
            set(name, trimmed(value), now);
        }
    }

  private:
    void set(std::string_view name, std::string_view value, std::time_t now) {
        const auto is = [&name](std::string_view other) {
            return ascii::same_but_for_case(name, other);
        };
        if (is("domain")) {
            if (value.starts_with('.')) value.remove_prefix(1);
            domain = ascii::lower(value);
        } else if (is("path")) {
            path = value.starts_with('/') ? value : "";
        } else if (is("secure")) {
            secure = true;
        } else if (is("httponly")) {
            http_only = true;
        } else if (is("max-age")) {
            if (const auto time = expiry_from_age(value, now)) max_age = time;
        } else if (is("expires")) {
            if (const auto time = parse_cookie_date(value)) expires = time;
        }
    }
};

// Parses a line of the file: "domain TRUE path FALSE expiry name value", with tabs between.
std::optional<Cookie> parse_netscape(std::string_view line) {
    Cookie cookie;
    if (line.starts_with(http_only_mark)) {
        cookie.http_only = true;
        line.remove_prefix(http_only_mark.size());
    }
    if (line.starts_with('#') || std::ranges::count(line, '\t') < 5) return std::nullopt;
    auto domain = take_until(line, '\t');
    if (domain.starts_with('.')) domain.remove_prefix(1);
    cookie.domain = ascii::lower(domain);
    cookie.host_only = !ascii::same_but_for_case(take_until(line, '\t'), "TRUE");
    cookie.path = take_until(line, '\t');
    cookie.secure = ascii::same_but_for_case(take_until(line, '\t'), "TRUE");
    const auto expires = whole_number<std::int64_t>(take_until(line, '\t'));
    cookie.name = take_until(line, '\t');
    cookie.value = line; // the tab before an empty value can be missing
    if (!expires || cookie.domain.empty() || cookie.name.empty() || !cookie.path.starts_with('/'))
        return std::nullopt;
    if (*expires != 0) cookie.expires = *expires;
    return cookie;
}

// Whether the cookie keeps the promise of its name's prefix (draft-ietf-httpbis-rfc6265bis, section
// 4.1.3).
bool keeps_promise_of_name(const Cookie& cookie) {
    if (cookie.name.starts_with("__Secure-")) return cookie.secure;
    if (cookie.name.starts_with("__Host-"))
        return cookie.secure && cookie.host_only && cookie.path == "/";
    return true;
}

// A control character could end a line of the request or of the file.
bool has_control(const Cookie& cookie) {
    const auto has = [](std::string_view text) {
        return std::ranges::any_of(text, ascii::is_control);
    };
    return has(cookie.name) || has(cookie.value) || has(cookie.domain) || has(cookie.path);
}

// In the file, one dot before the host has a meaning, and "#" begins a comment.
bool can_be_host(std::string_view domain) {
    return !domain.starts_with('.') && !domain.starts_with('#');
}

} // namespace

void CookieJar::load(std::string_view text, std::time_t now, SessionCookies session,
                     const std::string& host) {
    constexpr std::string_view field = "set-cookie:";
    while (!text.empty()) {
        auto line = take_until(text, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        std::optional<Cookie> cookie;
        if (ascii::same_but_for_case(line.substr(0, field.size()), field)) {
            // A saved head does not say which host sent it. Only its Domain attribute or the user
            // does.
            auto value = line.substr(field.size());
            auto pair = take_until(value, ';');
            Attributes attributes;
            attributes.read(value, now);
            cookie.emplace();
            cookie->name = trimmed(take_until(pair, '='));
            cookie->value = trimmed(pair);
            cookie->domain = attributes.domain;
            cookie->host_only = cookie->domain.empty();
            if (cookie->host_only) cookie->domain = host;
            cookie->path = attributes.path.empty() ? "/" : attributes.path;
            cookie->secure = attributes.secure;
            cookie->http_only = attributes.http_only;
            cookie->expires = attributes.max_age ? attributes.max_age : attributes.expires;
            if (cookie->domain.empty() || cookie->name.empty()) cookie.reset();
        } else {
            cookie = parse_netscape(line);
        }
        if (!cookie || has_control(*cookie) || !can_be_host(cookie->domain)) continue;
        if (session == SessionCookies::junk && !cookie->expires) continue;
        const std::lock_guard lock{mutex_};
        put(std::move(*cookie), now);
    }
}

void CookieJar::store(const Url& url, std::string_view value, std::time_t now) {
    auto rest = value;
    auto pair = take_until(rest, ';');
    if (pair.find('=') == std::string_view::npos) return;
    Cookie cookie;
    cookie.name = trimmed(take_until(pair, '='));
    cookie.value = trimmed(pair);
    if (cookie.name.empty()) return;
    if (cookie.name.size() + cookie.value.size() > max_cookie_bytes) return;
    Attributes attributes;
    attributes.read(rest, now);
    if (!attributes.domain.empty() && is_public_suffix(attributes.domain)) {
        if (attributes.domain != url.host) return;
        attributes.domain.clear();
    }
    if (!attributes.domain.empty() && !domain_matches(url.host, attributes.domain)) return;
    cookie.host_only = attributes.domain.empty() || is_address(url.host);
    cookie.domain = cookie.host_only ? url.host : attributes.domain;
    cookie.path = attributes.path.empty() ? default_path(url) : attributes.path;
    cookie.secure = attributes.secure;
    cookie.http_only = attributes.http_only;
    cookie.expires = attributes.max_age ? attributes.max_age : attributes.expires;
    if (cookie.secure && !is_private_way(url)) return;
    if (has_control(cookie) || !keeps_promise_of_name(cookie)) return;
    const std::lock_guard lock{mutex_};
    // A cookie that came without TLS must not replace a secure one (rfc6265bis, section 5.7).
    const auto overlays = [&](const Cookie& other) {
        return other.secure && other.name == cookie.name &&
               (domain_matches(other.domain, cookie.domain) ||
                domain_matches(cookie.domain, other.domain)) &&
               path_matches(cookie.path, other.path);
    };
    if (!is_private_way(url) && std::ranges::any_of(cookies_, overlays)) return;
    put(std::move(cookie), now);
}

void CookieJar::store_all(const Url& url, const ResponseHead& head, std::time_t now) {
    std::size_t count = 0;
    for (const auto& field : head.fields)
        if (ascii::same_but_for_case(field.name, "Set-Cookie") && ++count <= max_set_by_response)
            store(url, field.value, now);
}

// Adds the cookie as the newest. If we have the same cookie already, replaces it and keeps its age;
// if the new one has expired, removes the old one.
void CookieJar::put(Cookie cookie, std::time_t now) {
    cookie.age = next_age_++;
    const auto found = std::ranges::find_if(
        cookies_, [&cookie](const Cookie& other) { return is_same(other, cookie); });
    if (found != cookies_.end()) {
        cookie.age = found->age;
        cookies_.erase(found);
    }
    if (has_expired(cookie, now)) return;
    const auto of_domain = std::ranges::count(cookies_, cookie.domain, &Cookie::domain);
    if (static_cast<std::size_t>(of_domain) >= max_per_domain)
        cookies_.erase(std::ranges::find(cookies_, cookie.domain, &Cookie::domain));
    if (cookies_.size() >= max_cookies) cookies_.erase(cookies_.begin());
    cookies_.push_back(std::move(cookie));
}

std::string CookieJar::field_for(const Url& url, std::time_t now) const {
    const auto path = path_of(url);
    std::vector<const Cookie*> fitting;
    const std::lock_guard lock{mutex_};
    for (const auto& cookie : cookies_) {
        const bool is_for_host =
            cookie.host_only ? cookie.domain == url.host : domain_matches(url.host, cookie.domain);
        if (is_for_host && path_matches(path, cookie.path) && !has_expired(cookie, now) &&
            (!cookie.secure || is_private_way(url)))
            fitting.push_back(&cookie);
    }
    std::ranges::sort(fitting, [](const Cookie* one, const Cookie* other) {
        if (one->path.size() != other->path.size()) return one->path.size() > other->path.size();
        return one->age < other->age;
    });
    std::string field;
    for (const auto* cookie : fitting) {
        const auto size = cookie->name.size() + cookie->value.size() + 3;
        if (field.size() + size > max_field_bytes) continue;
        fmt::format_to(std::back_inserter(field), "{}{}={}", field.empty() ? "" : "; ",
                       cookie->name, cookie->value);
    }
    return field;
}

std::string CookieJar::netscape_text(std::time_t now) const {
    std::string text = "# Netscape HTTP Cookie File\n# Written by webget.\n\n";
    const std::lock_guard lock{mutex_};
    for (const auto& cookie : cookies_) {
        if (has_expired(cookie, now)) continue;
        fmt::format_to(std::back_inserter(text), "{}{}{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                       cookie.http_only ? http_only_mark : "", cookie.host_only ? "" : ".",
                       cookie.domain, cookie.host_only ? "FALSE" : "TRUE", cookie.path,
                       cookie.secure ? "TRUE" : "FALSE", cookie.expires.value_or(0), cookie.name,
                       cookie.value);
    }
    return text;
}

} // namespace ipcbox::http
