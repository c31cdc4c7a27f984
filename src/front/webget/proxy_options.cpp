#include "front/webget/proxy_options.h"

#include <cstdlib>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::front {

namespace {

// NOLINTBEGIN(concurrency-mt-unsafe): nobody changes the environment
const char* variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : nullptr;
}
// NOLINTEND(concurrency-mt-unsafe)

// The proxy of -x. Without -x, the proxy of the environment.
std::function<std::optional<http::Proxy>(const http::Url&)> proxy_rule(const Line& line) {
    std::optional<http::Proxy> proxy;
    if (line.proxy && !line.proxy->empty()) try {
            proxy = http::parse_proxy(*line.proxy);
        } catch (const std::invalid_argument& wrong) { // the value may have a password in it
            throw cli::UsageError(fmt::format("--proxy: {}", wrong.what()));
        }
    const auto choose = [proxy, none = line.proxy && line.proxy->empty(), except = line.no_proxy](
                            const http::Url& url) -> std::optional<http::Proxy> {
        if (none) return std::nullopt;
        const auto environment = [&](const char* name) -> const char* {
            const std::string_view wanted{name};
            if (except && (wanted == "no_proxy" || wanted == "NO_PROXY")) return except->c_str();
            return variable(name);
        };
        if (!proxy) return http::proxy_for(url, environment);
        return http::is_excepted(url, environment) ? std::nullopt : proxy;
    };
    return [choose, login = line.proxy_login, tunnel = line.tunnel](const http::Url& url) {
        auto chosen = choose(url);
        // A login in the URL of the proxy counts more, as in curl.
        if (chosen && login && !chosen->credentials) chosen->credentials = login->login;
        if (chosen && tunnel) chosen->tunnels_all = true;
        return chosen;
    };
}

} // namespace

void set_route(const Line& line, http::RouteOptions& route) {
    if (line.proxy_login && !line.proxy_login->has_password)
        throw cli::UsageError("--proxy-user: expected USER:PASSWORD");
    route.proxy = proxy_rule(line);
    auto& tls = route.tls;
    if (line.tls13) tls.min_version = "1.3";
    if (line.tls13 && tls.max_version == "1.2")
        throw cli::UsageError("--tlsv1.3 and --tls-max 1.2 cannot be combined");
    // curl's variables; OpenSSL itself knows SSL_CERT_FILE and SSL_CERT_DIR.
    if (const char* bundle = variable("CURL_CA_BUNDLE");
        bundle != nullptr && !tls.ca_file && !tls.ca_directory && !tls.insecure)
        tls.ca_file = bundle;
}

} // namespace ipcbox::front
