// sem-give - give a token back to a semaphore set
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "cluster/token_sets.h"
#include "front/ipc/cluster_hold.h"
#include "sysv/keeper.h"
#include "sysv/key.h"
#include "sysv/token_set.h"

namespace ipcbox {
namespace {

using Clock = std::chrono::system_clock;

struct Config {
    sysv::Key key = sysv::TokenSet::default_key();
    Duration wait{};
    int busy_status = exit_status::failed;
    bool json = false;
    front::EtcdOptions etcd;
    std::optional<etcd::Access> cluster; // nothing: this host's set
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[KEY]"};
    options.operand("KEY", config.key, sysv::Key::parse, sysv::key_help);
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "wait at most DURATION until a token is taken (default 0)");
    options.value("-E,--exit-status STATUS", config.busy_status, cli::number_between(0, 255),
                  "the exit status if there is nothing to give (default 1)");
    options.json(config.json);
    front::declare(options, config.etcd);
    options.note("sem-give gives back a token that sem-take took without a command. It refuses the "
                 "token of a running command. After sem-take --hold-for PID, that process and its "
                 "children can use it to give the token back early.");
    options.example("if sem-take; then work; sem-give; fi",
                    "take and give a token as in perlipc, with the key 1234");
    config.verbosity = options.parse();
    config.cluster = front::etcd_access(config.etcd);
    if (config.cluster && config.wait > Duration::zero())
        throw cli::UsageError("--etcd and --wait cannot be combined");
    return config;
}

// Why no token is given.
std::string refusal(const std::vector<sysv::TokenHolder>& holders) {
    if (holders.empty()) return "not taken";
    const bool are_several = holders.size() > 1 || holders.front().sharers > 1;
    return fmt::format("not given: {} {}", sysv::text_of(holders),
                       are_several ? "have it until they end" : "has it until it ends");
}

bool give(sysv::TokenSet& set, const Config& config) {
    if (sysv::end_keeper_of_ancestor(set.holders()) || set.give(Deadline::after(config.wait)))
        return true;
    if (!config.verbosity.quiet)
        cli::diagnose(fmt::format("{}: {}", config.key.text(), refusal(set.holders())));
    return false;
}

int give_to_cluster(const Config& config) {
    const auto keys = front::etcd_keys(config.key.text());
    etcd::Client client{*config.cluster};
    const auto soon = Deadline::after(front::etcd_patience);
    bool is_done = front::give_back_of_ancestor(cluster::look_at_set(client, keys, soon));
    if (!is_done) {
        const auto given = cluster::give_back(client, keys, soon);
        if (given == cluster::GivenBack::missing)
            throw Error(fmt::format("cannot give to {}: there is no such set", keys.text()));
        is_done = given == cluster::GivenBack::done;
    }
    if (is_done && !config.json) return exit_status::done;
    const auto set = cluster::look_at_set(client, keys, soon);
    if (!is_done && !config.verbosity.quiet)
        cli::diagnose(set.queue.empty()
                          ? fmt::format("{}: not taken", keys.text())
                          : fmt::format("{}: not given: {} has it until it ends", keys.text(),
                                        set.queue.front().entry.text(Clock::now())));
    if (config.json)
        cli::JsonLine{}
            .set("key", keys.text())
            .set_flag("given", is_done)
            .set("taken", set.taken())
            .print();
    return is_done ? exit_status::done : config.busy_status;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (config.cluster) return give_to_cluster(config);
    auto set = sysv::TokenSet::find(config.key);
    if (!set)
        throw Error(fmt::format("cannot give to {}: there is no such set", config.key.text()));
    const bool given = give(*set, config);
    if (config.json)
        cli::JsonLine{}
            .set("key", config.key.text())
            .set("id", set->id())
            .set_flag("given", given)
            .set("taken", set->taken())
            .print();
    return given ? exit_status::done : config.busy_status;
}

} // namespace

extern constexpr Applet sem_give{"give a token back to a semaphore set", run};

} // namespace ipcbox
