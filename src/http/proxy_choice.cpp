#include "http/proxy_choice.h"

#include "core/ascii.h"
#include "core/error.h"
#include "core/number.h"
#include "net/address.h"
#include "net/network.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::http {

namespace {

constexpr std::uint16_t default_port = 1080;

struct Setting {
    const char* name = nullptr;
    std::string_view value;
};

// The first of NAMES that is set.
template <std::size_t Count>
std::optional<Setting> first_set(const Environment& environment,
                                 const std::array<const char*, Count>& names) {
    for (const char* name : names)
        if (const char* value = environment(name); value != nullptr && *value != '\0')
            return Setting{name, value};
    return std::nullopt;
}

std::optional<Setting> proxy_setting(const Url& url, const Environment& environment) {
    const auto own = url.is_https()
                         ? first_set(environment, std::array{"https_proxy", "HTTPS_PROXY"})
                         : first_set(environment, std::array{"http_proxy"});
    return own ? own : first_set(environment, std::array{"all_proxy", "ALL_PROXY"});
}

std::string_view without_end_dot(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

bool is_at_or_below(std::string_view host, std::string_view domain) {
    host = without_end_dot(host);
    domain = without_end_dot(domain);
    if (domain.starts_with('.')) domain.remove_prefix(1);
    if (domain.empty() || host.size() < domain.size()) return false;
    const auto above = host.size() - domain.size();
    return ascii::same_but_for_case(host.substr(above), domain) &&
           (above == 0 || host[above - 1] == '.');
}

// NETWORK is an address, optionally with the number of bits that count.
bool is_in_network(const net::Address& host, std::string_view network) {
    const auto slash = std::min(network.find('/'), network.size());
    const auto address = net::Address::parse_ip(network.substr(0, slash), 0);
    if (!address || address->family() != host.family()) return false;
    const auto bits = net::prefix_length(*address, network);
    return bits && net::network_key(host, *bits, *bits) == net::network_key(*address, *bits, *bits);
}

// An element of the list of exceptions, split into host and port. An IPv6 address without brackets
// has colons, but no port.
struct Exception {
    std::string_view host;
    std::optional<std::string_view> port;

    explicit Exception(std::string_view text) : host(text) {
        const bool is_bracketed = text.starts_with('[');
        const auto colon = is_bracketed ? text.find("]:") : text.find(':');
        if (colon != std::string_view::npos && (is_bracketed || text.rfind(':') == colon)) {
            port = text.substr(colon + (is_bracketed ? 2 : 1));
            host = text.substr(0, colon + (is_bracketed ? 1 : 0));
        }
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    }
};

} // namespace

Proxy parse_proxy(std::string_view text) {
    auto kind = Proxy::Kind::http;
    if (const auto colon = text.find("://"); colon != std::string_view::npos) {
        const auto scheme = ascii::lower(text.substr(0, colon));
        if (scheme == "socks5")
            kind = Proxy::Kind::socks5;
        else if (scheme == "socks5h")
            kind = Proxy::Kind::socks5h;
        else if (scheme != "http")
            throw std::invalid_argument("expected a proxy such as http://host:3128 or "
                                        "socks5://host:1080 (https and socks4 are not supported)");
        text.remove_prefix(colon + 3);
    }
    auto authority = Authority::parse(text.substr(0, text.find_first_of("/?#")));
    return {std::move(authority.host), authority.port.value_or(default_port),
            std::move(authority.credentials), kind};
}

std::optional<Proxy> proxy_for(const Url& url, const Environment& environment) {
    const auto setting = proxy_setting(url, environment);
    if (!setting) return std::nullopt;
    if (is_excepted(url, environment)) return std::nullopt;
    try {
        return parse_proxy(setting->value);
    } catch (const std::invalid_argument& error) { // the value may contain a password
        throw Error(fmt::format("cannot use the proxy in {}: {}", setting->name, error.what()));
    }
}

bool is_excepted(const Url& url, const Environment& environment) {
    const auto list = first_set(environment, std::array{"no_proxy", "NO_PROXY"});
    return list && is_excepted(url, list->value);
}

bool is_excepted(const Url& url, std::string_view list) {
    constexpr std::string_view separators = ", \t";
    const auto address = net::Address::parse_ip(url.host.substr(0, url.host.find('%')), 0);
    const auto matches = [&](const Exception& exception) {
        if (exception.port && whole_number<std::uint16_t>(*exception.port) != url.port)
            return false;
        if (exception.host == "*") return true;
        return address ? is_in_network(*address, exception.host)
                       : is_at_or_below(url.host, exception.host);
    };
    while (!list.empty()) {
        const auto element = list.substr(0, list.find_first_of(separators));
        list.remove_prefix(std::min(element.size() + 1, list.size()));
        if (!element.empty() && matches(Exception{element})) return true;
    }
    return false;
}

} // namespace ipcbox::http
