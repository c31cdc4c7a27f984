#include "front/client/tcp_way_options.h"

#include "cli/values.h"
#include "front/tls_options.h"

#include <stdexcept>
#include <sys/socket.h>

namespace ipcbox::front {

namespace {

// Parses ADDRESS or ADDRESS:PORT.
net::Address parse_source(std::string_view text) {
    const auto written = net::WrittenHost::parse(text);
    if (const auto address = net::Address::parse_ip(written.host, written.port.value_or(0)))
        return *address;
    throw std::invalid_argument("expected a numeric ADDRESS or ADDRESS:PORT of this machine");
}

net::Address parse_client(std::string_view text) {
    if (const auto address = net::Address::parse_ip(text, 0)) return *address;
    throw std::invalid_argument("expected a numeric address");
}

// Accepts the values that Linux allows for TCP_KEEPIDLE.
std::chrono::seconds parse_keepalive(std::string_view text) {
    constexpr std::chrono::seconds max{32767};
    const auto time = cli::parse_duration(text);
    if (time < std::chrono::seconds{1} || time > max)
        throw std::invalid_argument("expected 1 to 32767 seconds");
    return std::chrono::ceil<std::chrono::seconds>(time);
}

} // namespace

void declare(cli::Options& options, TcpWay& into, FamilyOptions& family) {
    options.section("Connecting");
    declare(options, family);
    options.value("--source ADDRESS", into.source, parse_source,
                  "connect from this local address, or from ADDRESS:PORT");
    options.value("-x,--proxy URL", into.proxy, ClientProxy::parse,
                  "connect through this proxy: http://, socks5:// or socks5h://HOST[:PORT]");
    options.value("--haproxy-clientip ADDRESS", into.client, parse_client,
                  "send a PROXY header with this address as the client's");
    options.value("--keepalive-time DURATION", into.keepalive, parse_keepalive,
                  "if nothing comes for this long, probe whether the server is still there");
    options.section("TLS");
    options.flag("--tls", into.speaks_tls, "speak TLS");
    options.value("--tls-name NAME", into.tls.name, cli::parse_text,
                  "TLS: require a certificate for NAME (default HOST)");
    declare(options, into.tls);
    options.flag("--half-close", into.half_close,
                 "TLS: announce the end of the input; some servers then drop their answer");
    options.flag("--ignore-unexpected-eof", into.tls.ignore_unexpected_eof,
                 "TLS: accept an answer without close_notify at its end");
}

void check(TcpWay& way, const FamilyOptions& family) {
    way.family = family_of(family);
    const bool about_tls = way.half_close || way.tls.ignore_unexpected_eof ||
                           !way.tls.name.empty() || says_something(way.tls);
    if (about_tls && !way.speaks_tls) throw cli::UsageError("the options for TLS need --tls");
    if (!way.source) return;
    const auto source_family =
        way.source->family() == AF_INET ? net::Family::ipv4 : net::Family::ipv6;
    if (way.family != net::Family::any && way.family != source_family)
        throw cli::UsageError("--source is an address of the other family");
    way.family = source_family;
}

} // namespace ipcbox::front
