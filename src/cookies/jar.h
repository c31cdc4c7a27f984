// Cookies (RFC 6265). The jar keeps them from one response to the next request, and between runs in
// Netscape's text file, which curl and wget use too. Several threads may use it at the same time.
#pragma once

#include "cookies/cookie.h"

#include <cstdint>
#include <ctime>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {
struct ResponseHead;
}

namespace ipcbox::cookies {

class Jar {
  public:
    // Limits against servers that try to fill our memory.
    static constexpr std::size_t max_cookie_bytes = 4096; // a name and its value
    static constexpr std::size_t max_per_domain = 180;
    static constexpr std::size_t max_cookies = 3000;
    static constexpr std::size_t max_set_by_response = 50;
    static constexpr std::size_t max_field_bytes = 8190; // of the Cookie field of one request

    // Loads the text of a file: Netscape's lines, or "Set-Cookie: ..." as in a saved head. Skips
    // lines that are neither. JUNK leaves out cookies that end with their session.
    enum class SessionCookies { keep, junk };
    // A cookie of a saved head that has no domain belongs to HOST.
    void load(std::string_view text, std::time_t now, SessionCookies session,
              const std::string& host = {});

    // Takes one Set-Cookie field's VALUE, which came from URL. A cookie for a foreign domain or a
    // public suffix is ignored, as is one that is marked secure and came in the clear.
    void store(const http::Url& url, std::string_view value, std::time_t now);
    // Takes all Set-Cookie fields of HEAD.
    void store_all(const http::Url& url, const http::ResponseHead& head, std::time_t now);

    // The Cookie field's value for a request for URL: "a=1; b=2", those with the longest path
    // first. Empty when none fits. Secure cookies go over https and to our own machine only.
    [[nodiscard]] std::string field_for(const http::Url& url, std::time_t now) const;

    // All cookies that have not expired, as the text of a Netscape file.
    [[nodiscard]] std::string netscape_text(std::time_t now) const;

  private:
    void put(Cookie&& cookie, std::time_t now);

    mutable std::mutex mutex_;
    std::vector<Cookie> cookies_;
    std::uint64_t next_age_ = 0;
};

} // namespace ipcbox::cookies
