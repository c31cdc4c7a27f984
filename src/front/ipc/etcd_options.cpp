#include "front/ipc/etcd_options.h"

#include "front/tls_options.h"

#include <cstdlib>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::front {

namespace {

using Endpoints = std::vector<etcd::Endpoint>;

// Empty when the variable is not set.
std::string variable(const char* name) {
    const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody changes it
    return value != nullptr ? value : "";
}

Endpoints endpoints_of(const char* name) {
    const auto text = variable(name);
    try {
        return etcd::Endpoint::parse_list(text);
    } catch (const std::invalid_argument& wrong) {
        throw cli::UsageError(fmt::format("{} '{}': {}", name, text, wrong.what()));
    }
}

Endpoints parse_endpoints(std::string_view text) {
    if (text != "env") return etcd::Endpoint::parse_list(text);
    if (variable("ETCDCTL_ENDPOINTS").empty())
        throw std::invalid_argument("ETCDCTL_ENDPOINTS is not set");
    return endpoints_of("ETCDCTL_ENDPOINTS");
}

void set_default(std::optional<std::string>& option, const char* name) {
    if (auto value = variable(name); !option && !value.empty()) option = std::move(value);
}

} // namespace

void declare(cli::Options& options, EtcdOptions& into, const char* help) {
    options.value("--etcd URL[,URL...]", into.endpoints, parse_endpoints, help);
    declare(options, into.tls);
}

std::optional<etcd::Access> etcd_access(const EtcdOptions& options) {
    if (!options.endpoints && variable("IPCBOX_ETCD").empty()) {
        if (says_something(options.tls)) throw cli::UsageError("the options for TLS need --etcd");
        return std::nullopt;
    }
    etcd::Access access;
    access.endpoints = options.endpoints ? *options.endpoints : endpoints_of("IPCBOX_ETCD");
    access.user = variable("ETCDCTL_USER");
    access.password = variable("ETCDCTL_PASSWORD");
    if (const auto colon = access.user.find(':'); colon != std::string::npos) {
        access.password = access.user.substr(colon + 1);
        access.user.resize(colon);
    }
    access.tls = options.tls;
    set_default(access.tls.ca_file, "ETCDCTL_CACERT");
    set_default(access.tls.certificate, "ETCDCTL_CERT");
    set_default(access.tls.key, "ETCDCTL_KEY");
    return access;
}

cluster::TokenKeys etcd_keys(std::string_view key) {
    try {
        return cluster::TokenKeys::parse(key, etcd_prefix());
    } catch (const std::invalid_argument& wrong) {
        throw cli::UsageError(fmt::format("KEY '{}': with etcd {}", key, wrong.what()));
    }
}

std::string etcd_prefix() {
    const auto prefix = variable("IPCBOX_ETCD_PREFIX");
    return prefix.empty() ? std::string{cluster::default_prefix} : prefix;
}

} // namespace ipcbox::front
