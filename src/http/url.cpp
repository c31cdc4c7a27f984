#include "http/url.h"

#include "core/ascii.h"
#include "core/number.h"
#include "net/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <stdexcept>
#include <vector>

namespace ipcbox::http {

namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::uint16_t default_port(std::string_view scheme) {
    return scheme == "https" ? https_port : http_port;
}

// RFC 3986, section 2.3.
bool is_unreserved(char byte) {
    return ascii::is_letter(byte) || ascii::is_digit(byte) ||
           std::string_view{"-._~"}.find(byte) != std::string_view::npos;
}

// "fe80::1", "fe80::1%25eth0" (RFC 6874), or in the common form "fe80::1%eth0".
std::string parse_ipv6(std::string_view text) {
    const auto wrong = [] { return std::invalid_argument("expected an IPv6 address in brackets"); };
    const auto percent = std::min(text.find('%'), text.size());
    const auto address = net::Address::parse_ip(text.substr(0, percent), 0);
    if (!address || text.find(':') == std::string_view::npos) throw wrong();
    if (percent == text.size() || address->family() == AF_INET) return address->host();
    auto interface = text.substr(percent + 1);
    if (interface.size() > 2 && interface.starts_with("25")) interface.remove_prefix(2);
    if (interface.empty() || !std::ranges::all_of(interface, is_unreserved)) throw wrong();
    return fmt::format("{}%{}", address->host(), interface);
}

std::string parse_name(std::string_view text) {
    auto name = ascii::lower(percent_decoded(text));
    if (name.empty()) throw std::invalid_argument("expected a host");
    // RFC 952 does not allow underscores and the like in host names, but such hosts exist.
    if (!std::ranges::all_of(name, is_unreserved))
        throw std::invalid_argument("expected a host of ASCII letters, digits, dots and hyphens "
                                    "(others in their xn-- form)");
    // The resolver takes these forms, too. Under one name, a host has one proxy rule and one login.
    in_addr address{};
    if (::inet_aton(name.c_str(), &address) == 0) return name;
    return net::Address::of_ip_bytes({reinterpret_cast<const char*>(&address), sizeof address}, 0)
        ->host();
}

std::uint16_t parse_port(std::string_view text) {
    const auto port = whole_number<std::uint16_t>(text);
    if (!port || *port == 0) throw std::invalid_argument("expected a port from 1 to 65535");
    return *port;
}

Credentials parse_credentials(std::string_view text) {
    const auto colon = std::min(text.find(':'), text.size());
    return {percent_decoded(text.substr(0, colon)),
            percent_decoded(text.substr(std::min(colon + 1, text.size())))};
}

// RFC 3986, section 5.2.4, for a path that begins with '/'. A path that ends with a dot segment,
// such as /a/./b/../c/.., still names a directory.
std::string without_dot_segments(std::string_view path) {
    if (!path.empty() && path.find("/.") == std::string_view::npos) return std::string{path};
    std::vector<std::string_view> segments;
    for (auto left = path; !left.empty();) {
        left.remove_prefix(1);
        const auto segment = left.substr(0, left.find('/'));
        left.remove_prefix(segment.size());
        if (segment != "." && segment != "..") {
            segments.push_back(segment);
            continue;
        }
        if (segment == ".." && !segments.empty()) segments.pop_back();
        if (left.empty()) segments.emplace_back();
    }
    return fmt::format("/{}", fmt::join(segments, "/"));
}

// The sets of the URL standard of browsers (url.spec.whatwg.org, section 1.3). A '%' stays, because
// it may already be part of an encoding.
std::string encoded(std::string_view text, std::string_view unfit) {
    std::string fit;
    for (const char byte : text)
        if (ascii::is_ascii(byte) && unfit.find(byte) == std::string_view::npos)
            fit += byte;
        else
            fit += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    return fit;
}

std::string parse_target(std::string_view text) {
    text = text.substr(0, text.find('#'));
    const auto end = std::min(text.find('?'), text.size());
    return encoded(without_dot_segments(text.substr(0, end)), " \"<>`{}") +
           encoded(text.substr(end), " \"<>");
}

std::string fragment_of(std::string_view text) {
    return encoded(text.substr(std::min(text.find('#'), text.size())), " \"<>`");
}

void require_no_control(std::string_view text) {
    if (std::ranges::any_of(text, ascii::is_control))
        throw std::invalid_argument("expected a URL without control characters");
}

// "http:" at the start of a reference, which is absolute then (RFC 3986, section 3.1).
bool has_scheme(std::string_view reference) {
    const auto end = reference.find_first_of(":/?#");
    return end != std::string_view::npos && end > 0 && reference[end] == ':' &&
           ascii::is_letter(reference.front()) &&
           std::ranges::all_of(reference.substr(0, end), [](char byte) {
               return ascii::is_letter(byte) || ascii::is_digit(byte) || byte == '+' ||
                      byte == '-' || byte == '.';
           });
}

// A host in the form of a URL: an IPv6 address in brackets, with or without its interface.
enum class Interface { encoded, left_out };
std::string host_text(std::string_view host, Interface interface) {
    if (host.find(':') == std::string_view::npos) return std::string{host};
    const auto percent = std::min(host.find('%'), host.size());
    const auto address = host.substr(0, percent);
    if (percent == host.size() || interface == Interface::left_out)
        return fmt::format("[{}]", address);
    return fmt::format("[{}%25{}]", address, host.substr(percent + 1));
}

std::string port_text(const Url& url) {
    return url.port == default_port(url.scheme) ? "" : fmt::format(":{}", url.port);
}

} // namespace

Authority Authority::parse(std::string_view text) {
    require_no_control(text);
    Authority parsed;
    // The last one, as in browsers, because a password can contain one.
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        parsed.credentials = parse_credentials(text.substr(0, at));
        text.remove_prefix(at + 1);
    }
    std::string_view behind;
    if (text.starts_with('[')) {
        const auto end = std::min(text.find(']'), text.size() - 1);
        if (text[end] != ']') throw std::invalid_argument("expected a closing bracket");
        parsed.host = parse_ipv6(text.substr(1, end - 1));
        behind = text.substr(end + 1);
    } else {
        const auto colon = std::min(text.find(':'), text.size());
        parsed.host = parse_name(text.substr(0, colon));
        behind = text.substr(colon);
    }
    if (!behind.empty() && !behind.starts_with(':'))
        throw std::invalid_argument("expected a port or nothing after the brackets");
    if (behind.size() > 1) parsed.port = parse_port(behind.substr(1));
    return parsed;
}

Url Url::parse(std::string_view text) {
    require_no_control(text);
    const auto colon = text.find("://");
    Url url;
    url.scheme = ascii::lower(text.substr(0, std::min(colon, text.size())));
    constexpr const char* expected = "expected a URL that begins with http:// or https://";
    if (colon == std::string_view::npos) throw std::invalid_argument(expected);
    if (url.scheme != "http" && url.scheme != "https") throw OtherScheme(expected);
    text.remove_prefix(colon + 3);
    const auto end = std::min(text.find_first_of("/?#"), text.size());
    auto authority = Authority::parse(text.substr(0, end));
    url.credentials = std::move(authority.credentials);
    url.host = std::move(authority.host);
    url.port = authority.port.value_or(default_port(url.scheme));
    url.target = parse_target(text.substr(end));
    url.fragment = fragment_of(text);
    return url;
}

Url Url::resolve(std::string_view reference) const {
    require_no_control(reference);
    if (has_scheme(reference)) return parse(reference);
    if (reference.starts_with("//")) return parse(fmt::format("{}:{}", scheme, reference));
    Url url{*this};
    url.fragment = fragment_of(reference);
    reference = reference.substr(0, reference.find('#'));
    const std::string_view path{target.data(), std::min(target.find('?'), target.size())};
    if (reference.starts_with('/'))
        url.target = parse_target(reference);
    else if (reference.starts_with('?'))
        url.target = parse_target(fmt::format("{}{}", path, reference));
    else if (!reference.empty())
        url.target =
            parse_target(fmt::format("{}{}", path.substr(0, path.rfind('/') + 1), reference));
    return url;
}

void Url::add_query(std::string_view query) {
    require_no_control(query);
    const bool has_query = target.find('?') != std::string::npos;
    const bool is_open = target.ends_with('?') || target.ends_with('&');
    if (!is_open) target += has_query ? '&' : '?';
    target += encoded(query, " \"<>#");
}

std::string Url::authority() const {
    return host_text(host, Interface::left_out) + port_text(*this);
}

std::string Url::text() const {
    return fmt::format("{}://{}{}{}", scheme, host_text(host, Interface::encoded), port_text(*this),
                       target);
}

std::string Url::file_name() const {
    const std::string_view path{target.data(), std::min(target.find('?'), target.size())};
    return safe_file_name(percent_decoded(path.substr(path.rfind('/') + 1)));
}

bool Url::same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view marks = "-._~";
    std::string coded;
    for (const char byte : text)
        if (ascii::is_digit(byte) || ascii::is_letter(byte) ||
            marks.find(byte) != std::string_view::npos)
            coded += byte;
        else
            coded += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    return coded;
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && at + 2 < text.size()) {
            const auto high = ascii::hex_value(text[at + 1]);
            const auto low = ascii::hex_value(text[at + 2]);
            if (high && low) {
                decoded += static_cast<char>(*high << 4U | *low);
                at += 2;
                continue;
            }
        }
        decoded += text[at];
    }
    return decoded;
}

std::string safe_file_name(std::string_view name) {
    if (name == "." || name == "..") return {};
    std::string safe{name};
    std::ranges::replace_if(
        safe, [](char byte) { return byte == '/' || ascii::is_control(byte); }, '_');
    return safe;
}

} // namespace ipcbox::http
