// Chooses the proxy for a request from the environment, as curl(1) does.
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
    // A SOCKS5 proxy gets an address, or with socks5h:// the name of the host.
    enum class Kind { http, socks5, socks5h } kind = Kind::http;
    bool tunnels_all = false; // ask an HTTP proxy for a tunnel even for http://

    friend bool operator==(const Proxy&, const Proxy&) = default;
};

// "http://user:password@host:3128", "host:3128", "host", "socks5://host", "socks5h://host": the
// default port is 1080, as curl has it, and the text after the port is ignored. Throws
// std::invalid_argument, also for other kinds of proxies: https, socks4.
[[nodiscard]] Proxy parse_proxy(std::string_view text);

// std::getenv, or a substitute in a test. An empty value counts as unset.
using Environment = std::function<const char*(const char* name)>;

// The value of http_proxy, or of https_proxy or HTTPS_PROXY, or else of all_proxy or ALL_PROXY,
// unless no_proxy or NO_PROXY excepts the URL. (HTTP_PROXY is never read: in a CGI program it is a
// header that the client sent, "Proxy: …".) Throws Error when the value does not name a proxy.
[[nodiscard]] std::optional<Proxy> proxy_for(const Url& url, const Environment& environment);

// Whether LIST, separated by commas or blanks, has the URL's host in it: "*" is every host;
// "example.org", with a dot before it or without, is that host and all hosts below it; "192.0.2.1"
// and "[2001:db8::1]" are addresses, and "192.0.2.0/24" is a network. Each may have a ":PORT"
// behind it. Names are not resolved.
[[nodiscard]] bool is_excepted(const Url& url, std::string_view list);

// Whether no_proxy or NO_PROXY has the URL's host in it.
[[nodiscard]] bool is_excepted(const Url& url, const Environment& environment);

} // namespace ipcbox::http
