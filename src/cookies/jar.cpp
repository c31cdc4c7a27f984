#include "cookies/jar.h"

#include "core/ascii.h"
#include "core/words.h"
#include "http/response_parser.h"

#include <algorithm>

namespace ipcbox::cookies {

void Jar::load(std::string_view text, std::time_t now, SessionCookies session,
               const std::string& host) {
    constexpr std::string_view field = "set-cookie:";
    while (!text.empty()) {
        auto line = take_until(text, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        auto cookie = ascii::same_but_for_case(line.substr(0, field.size()), field)
                          ? parse_saved_cookie(line.substr(field.size()), host, now)
                          : parse_netscape_line(line);
        if (!cookie) continue;
        if (session == SessionCookies::junk && !cookie->expires) continue;
        const std::lock_guard lock{mutex_};
        put(std::move(*cookie), now);
    }
}

void Jar::store(const http::Url& url, std::string_view value, std::time_t now) {
    auto cookie = parse_set_cookie(url, value, now);
    if (!cookie || cookie->name.size() + cookie->value.size() > max_cookie_bytes) return;
    const std::lock_guard lock{mutex_};
    const auto is_hidden = [&](const Cookie& other) { return hides_secure(*cookie, url, other); };
    if (std::ranges::any_of(cookies_, is_hidden)) return;
    put(std::move(*cookie), now);
}

void Jar::store_all(const http::Url& url, const http::ResponseHead& head, std::time_t now) {
    std::size_t count = 0;
    for (const auto& field : head.fields)
        if (ascii::same_but_for_case(field.name, "Set-Cookie") && ++count <= max_set_by_response)
            store(url, field.value, now);
}

// Adds the cookie as the newest. If we have the same cookie already, replaces it and keeps its age;
// if the new one has expired, removes the old one.
void Jar::put(Cookie&& cookie, std::time_t now) {
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

std::string Jar::field_for(const http::Url& url, std::time_t now) const {
    std::vector<const Cookie*> fitting;
    const std::lock_guard lock{mutex_};
    for (const auto& cookie : cookies_)
        if (fits(cookie, url) && !has_expired(cookie, now)) fitting.push_back(&cookie);
    std::ranges::sort(fitting, [](const Cookie* one, const Cookie* other) {
        if (one->path.size() != other->path.size()) return one->path.size() > other->path.size();
        return one->age < other->age;
    });
    std::string field;
    for (const auto* cookie : fitting) {
        const auto size = cookie->name.size() + cookie->value.size() + 3;
        if (field.size() + size > max_field_bytes) continue;
        if (!field.empty()) field += "; ";
        field.append(cookie->name).append("=").append(cookie->value);
    }
    return field;
}

std::string Jar::netscape_text(std::time_t now) const {
    std::string text = "# Netscape HTTP Cookie File\n# Written by webget.\n\n";
    const std::lock_guard lock{mutex_};
    for (const auto& cookie : cookies_)
        if (!has_expired(cookie, now)) text += netscape_line(cookie);
    return text;
}

} // namespace ipcbox::cookies
