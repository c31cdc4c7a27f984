#include "etcd/access.h"

#include "core/ascii.h"
#include "core/words.h"
#include "http/url.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::etcd {

namespace {

constexpr std::uint16_t etcd_port = 2379;

[[noreturn]] void refuse(const char* expected) {
    throw std::invalid_argument(expected);
}

} // namespace

Endpoint Endpoint::parse(std::string_view text) {
    Endpoint endpoint;
    auto place = text;
    if (const auto scheme_end = text.find("://"); scheme_end != std::string_view::npos) {
        const auto scheme = ascii::lower(text.substr(0, scheme_end));
        if (scheme != "http" && scheme != "https") refuse("expected http:// or https://");
        endpoint.is_https = scheme == "https";
        place.remove_prefix(scheme_end + 3);
    }
    while (place.ends_with('/'))
        place.remove_suffix(1);
    if (place.find_first_of("/?#") != std::string_view::npos)
        refuse("expected http://HOST:PORT, without a path");
    if (place.find('@') != std::string_view::npos)
        refuse("expected http://HOST:PORT, without a user: see ETCDCTL_USER");
    if (!place.starts_with('[') && std::ranges::count(place, ':') > 1)
        refuse("expected an IPv6 address in brackets");
    const auto authority = http::Authority::parse(place);
    endpoint.place = {authority.host, authority.port.value_or(etcd_port)};
    return endpoint;
}

std::vector<Endpoint> Endpoint::parse_list(std::string_view text) {
    constexpr std::string_view between = ", \t\r\n";
    std::vector<Endpoint> all;
    for (;;) {
        (void)take_while_in(text, between);
        if (text.empty()) break;
        all.push_back(parse(take_until_any_of(text, between)));
    }
    if (all.empty()) refuse("expected http://HOST:PORT[,...]");
    return all;
}

std::string Endpoint::text() const {
    return fmt::format("{}://{}", is_https ? "https" : "http", place.text());
}

} // namespace ipcbox::etcd
