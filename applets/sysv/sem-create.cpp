// sem-create - create a semaphore set that hands out tokens
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "cluster/token_sets.h"
#include "front/ipc/etcd_options.h"
#include "front/set_mode.h"
#include "sysv/key.h"
#include "sysv/token_set.h"

namespace ipcbox {
namespace {

struct Config {
    sysv::Key key = sysv::TokenSet::default_key();
    std::optional<int> slots;
    std::optional<mode_t> mode;
    std::optional<int> resize;
    std::optional<Duration> wait;
    bool removes = false;
    bool json = false;
    front::EtcdOptions etcd;
    std::optional<etcd::Access> cluster; // nothing: this host's set
};

void check(const Config& config) {
    if (config.wait && !config.resize) throw cli::UsageError("--wait needs --resize");
    if (config.resize && (config.slots || config.mode))
        throw cli::UsageError("--resize cannot be combined with --slots or --mode");
    if (config.removes && !config.cluster)
        throw cli::UsageError("--remove needs --etcd; use ipc-remove for the sets of this host");
    if (config.removes && (config.slots || config.resize))
        throw cli::UsageError("--remove cannot be combined with --slots or --resize");
    if (config.cluster && config.mode)
        throw cli::UsageError(
            "--etcd and --mode cannot be combined: the roles in etcd control the access");
}

Config parse(const Invocation& invocation) {
    Config config;
    const auto slots = cli::number_between(1, sysv::TokenSet::max_slots);
    cli::Options options{invocation, "[KEY]"};
    options.operand("KEY", config.key, sysv::Key::parse, sysv::key_help);
    options.value("-n,--slots SLOTS", config.slots, slots, "the number of tokens (default 1)");
    options.value("-m,--mode MODE", config.mode, front::parse_set_mode,
                  "the permissions of the set, in octal (default 600)");
    options.value("--resize SLOTS", config.resize, slots,
                  "change an existing set to SLOTS tokens, even while it is in use");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "with --resize: wait at most DURATION for tokens to come back");
    options.flag("--remove", config.removes,
                 "with --etcd: remove the set, unless a process uses it");
    options.json(config.json);
    front::declare(options, config.etcd);
    options.note("sem-create prints the id of the set, or its place in etcd. If the set already "
                 "exists, nothing changes. Perl programs can use a set with one token as the "
                 "perlipc manual page shows.");
    options.example("sem-create", "create the set of the perlipc manual page, with the key 1234");
    options.example("sem-create -n 4 @build", "create a set of four tokens under a name");
    options.example("sem-create --resize 8 @build", "change that set to eight tokens");
    options.example("sem-create --etcd http://a:2379 -n 4 @build",
                    "create a set that several hosts share");
    options.parse();
    config.cluster = front::etcd_access(config.etcd);
    check(config);
    return config;
}

sysv::TokenSet resized(const Config& config) {
    auto set = sysv::TokenSet::find(config.key);
    if (!set) throw Error(fmt::format("cannot resize {}: there is no such set", config.key.text()));
    if (!set->resize(*config.resize, Deadline::after(config.wait.value_or(Duration::zero()))))
        throw Error(fmt::format("cannot resize {} to {}: {} of {} are taken", config.key.text(),
                                *config.resize, set->taken(), set->slots()));
    return *std::move(set);
}

sysv::TokenSet created(const Config& config) {
    constexpr mode_t owner_only = 0600;
    return sysv::TokenSet::create(config.key, config.slots.value_or(1),
                                  config.mode.value_or(owner_only));
}

void change(etcd::Client& client, const cluster::TokenKeys& keys, const Config& config) {
    const auto soon = Deadline::after(front::etcd_patience);
    if (!config.resize) return cluster::make_set(client, keys, config.slots.value_or(1), soon);
    const auto wait = Deadline::after(config.wait.value_or(Duration::zero()));
    switch (cluster::resize_set(client, keys, *config.resize, front::etcd_patience, wait)) {
    case cluster::Resized::done:
        return;
    case cluster::Resized::missing:
        throw Error(fmt::format("cannot resize {}: there is no such set", keys.text()));
    case cluster::Resized::still_taken:
        const auto set = cluster::look_at_set(client, keys, soon);
        throw Error(fmt::format("cannot resize {} to {}: {} of {} are taken", keys.text(),
                                *config.resize, set.taken(), set.slots.value_or(0)));
    }
}

int remove(etcd::Client& client, const cluster::TokenKeys& keys) {
    const auto soon = Deadline::after(front::etcd_patience);
    const auto removed = cluster::remove_set(client, keys, soon);
    if (removed == cluster::Removed::done) return exit_status::done;
    if (removed == cluster::Removed::missing)
        throw Error(fmt::format("cannot remove {}: there is no such set", keys.text()));
    const auto set = cluster::look_at_set(client, keys, soon);
    throw Error(fmt::format("cannot remove {}: {} of {} are taken", keys.text(), set.taken(),
                            set.slots.value_or(0)));
}

int run_in_cluster(const Config& config) {
    const auto keys = front::etcd_keys(config.key.text());
    etcd::Client client{*config.cluster};
    if (config.removes) return remove(client, keys);
    change(client, keys, config);
    if (!config.json) {
        cli::print_line("{}", keys.place());
        return exit_status::done;
    }
    const auto set = cluster::look_at_set(client, keys, Deadline::after(front::etcd_patience));
    cli::JsonLine{}
        .set("key", keys.text())
        .set("place", keys.place())
        .set("slots", set.slots.value_or(0))
        .set("taken", set.taken())
        .print();
    return exit_status::done;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (config.cluster) return run_in_cluster(config);
    const auto set = config.resize ? resized(config) : created(config);
    if (config.json)
        cli::JsonLine{}
            .set("key", config.key.text())
            .set("id", set.id())
            .set("slots", set.slots())
            .set("taken", set.taken())
            .print();
    else
        cli::print_line("{}", set.id());
    return exit_status::done;
}

} // namespace

extern constexpr Applet sem_create{"create a semaphore set that hands out tokens", run};

} // namespace ipcbox
