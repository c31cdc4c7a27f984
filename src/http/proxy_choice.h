// Which proxy a request goes through, as curl(1) takes it from the environment.
#pragma once

#include "http/url.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::http {

struct Proxy {
    std::string host; // as in Url
    std::uint16_t port = 0;
    std::optional<Credentials> credentials;
    // A SOCKS5 proxy is told an address, or with socks5h:// the host's name.
    enum class Kind { http, socks5, socks5h } kind = Kind::http;
    bool tunnels_all = false; // an HTTP proxy is asked for a tunnel for http://, too

    friend bool operator==(const Proxy&, const Proxy&) = default;
};

// "http://user:password@host:3128", "host:3128", "host", "socks5://host", "socks5h://host": without
// a port it is 1080, as curl has it; what stands behind it is ignored. Throws
// std::invalid_argument, also for other kinds of proxies: https, socks4.
[[nodiscard]] Proxy parse_proxy(std::string_view text);

// std::getenv, or what stands for it in a test. Empty is as good as null.
using Environment = std::function<const char*(const char* name)>;

// The value of http_proxy, or of https_proxy or HTTPS_PROXY, or else of all_proxy or ALL_PROXY,
// unless no_proxy or NO_PROXY excepts the URL. (HTTP_PROXY is never read: to a CGI program it is a
// header that the client sent, "Proxy: …".) Throws Error when the value is no proxy.
[[nodiscard]] std::optional<Proxy> proxy_for(const Url& url, const Environment& environment);

// Whether LIST, separated by commas or blanks, has the URL's host in it: "*" is every host;
// "example.org", with a dot before it or without, is that host and all below it; "192.0.2.1" and
// "[2001:db8::1]" are addresses, and "192.0.2.0/24" all that begin with so many of its bits. Each
// may have a ":PORT" behind it. Names are not resolved.
[[nodiscard]] bool is_excepted(const Url& url, std::string_view list);

} // namespace ipcbox::http
