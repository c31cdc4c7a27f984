#include "cookies/cookie.h"

#include "cookies/date.h"
#include "cookies/public_suffix.h"
#include "core/ascii.h"
#include "core/number.h"
#include "core/text_lines.h"
#include "core/words.h"
#include "net/address.h"

#include <algorithm>
#include <fmt/core.h>
#include <limits>

namespace ipcbox::cookies {

namespace {

constexpr std::string_view http_only_mark = "#HttpOnly_";

bool is_address(std::string_view host) {
    return net::Address::parse_ip(host.substr(0, host.find('%')), 0).has_value();
}

// RFC 6265, section 5.1.3.
bool domain_matches(std::string_view host, std::string_view domain) {
    if (host == domain) return true;
    return host.size() > domain.size() && host.ends_with(domain) &&
           host[host.size() - domain.size() - 1] == '.' && !is_address(host);
}

std::string_view path_of(const http::Url& url) {
    return std::string_view{url.target}.substr(0, url.target.find('?'));
}

// RFC 6265, section 5.1.4.
std::string default_path(const http::Url& url) {
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
bool is_private_way(const http::Url& url) {
    return url.is_https() || url.host == "localhost" || url.host == "127.0.0.1" ||
           url.host == "::1";
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

// Reads "NAME=VALUE; ATTRIBUTE; ..." into COOKIE, which is new. Of a repeated attribute, the last
// counts. The domain and the path are empty when there is none.
void read(Cookie& cookie, std::string_view text, std::time_t now) {
    cookie.path.clear();
    auto pair = take_until(text, ';');
    cookie.name = trimmed(take_until(pair, '='));
    cookie.value = trimmed(pair);
    std::optional<std::time_t> max_age;
    while (!text.empty()) {
        auto value = take_until(text, ';');
        const auto name = trimmed(take_until(value, '='));
        const auto is = [&name](std::string_view other) {
            return ascii::same_but_for_case(name, other);
        };
        value = trimmed(value);
        if (is("domain")) {
            if (value.starts_with('.')) value.remove_prefix(1);
            cookie.domain = ascii::lower(value);
        } else if (is("path")) {
            cookie.path = value.starts_with('/') ? value : "";
        } else if (is("secure")) {
            cookie.secure = true;
        } else if (is("httponly")) {
            cookie.http_only = true;
        } else if (is("max-age")) {
            if (const auto time = expiry_from_age(value, now)) max_age = time;
        } else if (is("expires")) {
            if (const auto time = parse_date(value)) cookie.expires = time;
        }
    }
    if (max_age) cookie.expires = max_age; // it is stronger
}

// Whether the cookie keeps the promise of its name's prefix, in any case: many servers read names
// like that (draft-ietf-httpbis-rfc6265bis, section 5.4).
bool keeps_promise_of_name(const Cookie& cookie) {
    const auto begins_with = [&cookie](std::string_view prefix) {
        return ascii::same_but_for_case(std::string_view{cookie.name}.substr(0, prefix.size()),
                                        prefix);
    };
    if (begins_with("__Secure-")) return cookie.secure;
    if (begins_with("__Host-")) return cookie.secure && cookie.host_only && cookie.path == "/";
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
bool fits_file(const Cookie& cookie) {
    return !cookie.domain.empty() && !cookie.domain.starts_with('.') &&
           !cookie.domain.starts_with('#') && !cookie.name.empty() && !has_control(cookie);
}

// Gives COOKIE, which came from URL, its host and its path. False when it must not be stored.
bool settle(Cookie& cookie, const http::Url& url) {
    if (!cookie.domain.empty() && is_public_suffix(cookie.domain)) {
        if (cookie.domain != url.host) return false;
        cookie.domain.clear();
    }
    if (!cookie.domain.empty() && !domain_matches(url.host, cookie.domain)) return false;
    cookie.host_only = cookie.domain.empty() || is_address(url.host);
    if (cookie.host_only) cookie.domain = url.host;
    if (cookie.path.empty()) cookie.path = default_path(url);
    if (cookie.secure && !is_private_way(url)) return false;
    return !cookie.name.empty() && !has_control(cookie) && keeps_promise_of_name(cookie);
}

bool read_netscape_line(Cookie& cookie, std::string_view line) {
    if (line.starts_with(http_only_mark)) {
        cookie.http_only = true;
        line.remove_prefix(http_only_mark.size());
    }
    if (line.starts_with('#') || std::ranges::count(line, '\t') < 5) return false;
    auto domain = take_until(line, '\t');
    if (domain.starts_with('.')) domain.remove_prefix(1);
    cookie.domain = ascii::lower(domain);
    cookie.host_only = !ascii::same_but_for_case(take_until(line, '\t'), "TRUE");
    cookie.path = take_until(line, '\t');
    cookie.secure = ascii::same_but_for_case(take_until(line, '\t'), "TRUE");
    // Some browser extensions write fractions of a second, and Python leaves a session's time
    // empty.
    const auto time = take_until(line, '\t');
    const auto expires =
        time.empty() ? std::int64_t{0} : whole_number<std::int64_t>(time.substr(0, time.find('.')));
    cookie.name = take_until(line, '\t');
    cookie.value = line; // the tab before an empty value can be missing
    if (expires && *expires != 0) cookie.expires = *expires;
    return expires && cookie.path.starts_with('/') && fits_file(cookie);
}

} // namespace

std::optional<Cookie> parse_set_cookie(const http::Url& url, std::string_view value,
                                       std::time_t now) {
    std::optional<Cookie> cookie{std::in_place};
    read(*cookie, value, now);
    const bool is_pair = value.substr(0, value.find(';')).find('=') != std::string_view::npos;
    if (!is_pair || !settle(*cookie, url)) cookie.reset();
    return cookie;
}

std::optional<Cookie> parse_saved_cookie(std::string_view value, const std::string& host,
                                         std::time_t now) {
    std::optional<Cookie> cookie{std::in_place};
    read(*cookie, value, now);
    cookie->host_only = cookie->domain.empty();
    if (cookie->host_only) cookie->domain = host;
    if (cookie->path.empty()) cookie->path = "/";
    if (!fits_file(*cookie)) cookie.reset();
    return cookie;
}

std::optional<Cookie> parse_netscape_line(std::string_view line) {
    std::optional<Cookie> cookie{std::in_place};
    if (!read_netscape_line(*cookie, line)) cookie.reset();
    return cookie;
}

std::string netscape_line(const Cookie& cookie) {
    return fmt::format("{}{}{}\t{}\t{}\t{}\t{}\t{}\t{}\n", cookie.http_only ? http_only_mark : "",
                       cookie.host_only ? "" : ".", cookie.domain,
                       cookie.host_only ? "FALSE" : "TRUE", cookie.path,
                       cookie.secure ? "TRUE" : "FALSE", cookie.expires.value_or(0), cookie.name,
                       cookie.value);
}

bool has_expired(const Cookie& cookie, std::time_t now) {
    return cookie.expires && *cookie.expires <= now;
}

bool is_same(const Cookie& one, const Cookie& other) {
    return one.name == other.name && one.domain == other.domain && one.path == other.path &&
           one.host_only == other.host_only;
}

bool fits(const Cookie& cookie, const http::Url& url) {
    const bool is_for_host =
        cookie.host_only ? cookie.domain == url.host : domain_matches(url.host, cookie.domain);
    return is_for_host && path_matches(path_of(url), cookie.path) &&
           (!cookie.secure || is_private_way(url));
}

bool hides_secure(const Cookie& cookie, const http::Url& url, const Cookie& other) {
    return !is_private_way(url) && other.secure && other.name == cookie.name &&
           (domain_matches(other.domain, cookie.domain) ||
            domain_matches(cookie.domain, other.domain)) &&
           path_matches(cookie.path, other.path);
}

} // namespace ipcbox::cookies
