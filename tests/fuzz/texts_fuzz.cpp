// The small texts around a transfer: .netrc, lists of checksums, proxies and the hosts excepted
// from them, dates, lists of hosts, the state of a part file. Each parser gets the same bytes.
#include "clocks/host_list.h"
#include "core/error.h"
#include "download/part_state.h"
#include "http/date.h"
#include "http/digest.h"
#include "http/netrc.h"
#include "http/proxy_choice.h"
#include "require.h"

#include <cstdint>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

void check_netrc(std::string_view text) {
    try {
        const auto any = credentials_for(text, "host");
        const auto user = credentials_for(text, "host", "user");
        require(!user || (any && user->user == "user"));
        if (any) require(any->user.size() + any->password.size() <= text.size());
        // Every host that is not listed gets the same default entry.
        require(credentials_for(text, "\x01") == credentials_for(text, "\x02") ||
                text.find_first_of("\x01\x02") != std::string_view::npos);
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): an answer too
    }
}

void check_list(std::string_view text) {
    for (const auto* name : {"", "a", "a b", "a\\b", "a\nb"})
        if (const auto found = checksum_in_list(text, name))
            require(Checksum::parse(found->algorithm + ":" + found->hex) == *found);
}

void check_proxy(std::string_view text) {
    for (const auto* url : {"http://example.org", "https://192.0.2.1", "http://[2001:db8::1]:8080"})
        (void)is_excepted(Url::parse(url), text);
    try {
        const auto proxy = parse_proxy(text);
        require(!proxy.host.empty() && proxy.port != 0);
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): an answer too
    }
}

void check_date(std::string_view text) {
    constexpr std::time_t now = 1'800'000'000;
    if (const auto time = http::parse_http_date(text, now))
        require(http::parse_http_date(http::http_date(*time), now) == time);
    if (const auto wait = http::parse_retry_after(text, now)) require(*wait >= Duration::zero());
}

void check_hosts(std::string_view text) {
    std::size_t bad_lines = 0;
    for (const auto& host :
         clocks::parse_host_list(text, [&](const std::string&, const std::string& problem) {
             require(problem.size() < 512);
             ++bad_lines;
         }))
        require(!host.name.empty() && clocks::parse_host(host.text).name == host.name);
    require(bad_lines <= text.size());
    try {
        constexpr std::uint64_t most = 256;
        const auto hosts = clocks::hosts_of_network(text, most);
        require(!hosts.empty() && hosts.size() <= most);
        for (const auto& host : hosts)
            require(net::Address::parse_ip(host.name, 0).has_value());
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): an answer too
    }
}

void check_part_state(std::string_view text) {
    const std::string url{text.substr(0, text.find('\n'))};
    if (const auto version = download::parse_part_state(text, url)) {
        require(!version->validator().empty());
        require(download::part_state(url, *version) == text);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    check_netrc(text);
    check_list(text);
    check_proxy(text);
    check_date(text);
    check_hosts(text);
    check_part_state(text);
    return 0;
}
