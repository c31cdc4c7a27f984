// The options by which an applet finds an etcd cluster, and the environment variables behind them:
//
//     --etcd URL[,URL...]  IPCBOX_ETCD; with "env" as URL: ETCDCTL_ENDPOINTS
//     --cacert, --cert, --key  ETCDCTL_CACERT, ETCDCTL_CERT, ETCDCTL_KEY
//     (no option)          ETCDCTL_USER ("user" or "user:password"), ETCDCTL_PASSWORD: an argument
//                          can be read by everybody
//     (no option)          IPCBOX_ETCD_PREFIX: where the keys begin, instead of "ipcbox/sem/"
#pragma once

#include "cli/options.h"
#include "cluster/token_keys.h"
#include "core/deadline.h"
#include "etcd/access.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct EtcdOptions {
    std::optional<std::vector<etcd::Endpoint>> endpoints{}; // --etcd
    net::TlsOptions tls{};
};

// HELP is the one of --etcd.
void declare(cli::Options& options, EtcdOptions& into,
             const char* help = "use tokens of this etcd cluster (default $IPCBOX_ETCD)");

// Nothing when neither the command line nor the environment names a cluster. Throws UsageError.
[[nodiscard]] std::optional<etcd::Access> etcd_access(const EtcdOptions& options);

// Where the keys begin.
[[nodiscard]] std::string etcd_prefix();
// Where KEY stands there. Throws UsageError for a path, which names a file of this host only.
[[nodiscard]] cluster::TokenKeys etcd_keys(std::string_view key);

// How long an applet waits for an answer of a cluster.
inline constexpr Duration etcd_patience = std::chrono::seconds{20};

} // namespace ipcbox::front
