// sem-take - take a token from a semaphore set, for good or while a command runs
#include "applet.h"
#include "cli/border.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/counted.h"
#include "front/ipc/cluster_hold.h"
#include "front/run_command.h"
#include "front/set_mode.h"
#include "sysv/keeper.h"
#include "sysv/key.h"
#include "sysv/token_set.h"

#include <algorithm>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    sysv::Key key = sysv::TokenSet::default_key();
    std::optional<int> slots;
    std::optional<mode_t> mode;
    std::optional<Duration> wait;
    int busy_status = exit_status::failed;
    bool shared = false;
    bool wait_all = false;
    pid_t hold_for = 0;
    bool json = false;
    front::ClusterOptions across_hosts;
    std::optional<etcd::Access> cluster; // nothing: this host's tokens
    cli::Verbosity verbosity;
    std::vector<std::string> command;
};

pid_t parse_process(std::string_view text) {
    if (text == "PPID") return ::getppid();
    try {
        return cli::number_between(1, 4194304)(text);
    } catch (const std::invalid_argument&) {
        throw std::invalid_argument("expected a process id or PPID");
    }
}

void check_cluster(const Config& config) {
    if (config.shared || config.wait_all || config.mode)
        throw cli::UsageError("--etcd cannot be combined with -s, --wait-all or -m");
    if (config.hold_for != 0 && config.across_hosts.on_lost == cluster::OnLost::pause)
        throw cli::UsageError("--on-lost pause cannot be combined with --hold-for");
    (void)front::etcd_keys(config.key.text()); // refuses a path
    config.across_hosts.check();
}

void check(const Config& config) {
    if (config.cluster)
        check_cluster(config);
    else if (config.across_hosts.concern_leases())
        throw cli::UsageError("--ttl, --on-lost and --grace need --etcd");
    const bool has_command = !config.command.empty();
    const bool holds = config.hold_for != 0;
    if (holds && has_command) throw cli::UsageError("--hold-for and a command cannot be combined");
    if (config.json && has_command)
        throw cli::UsageError(
            "--json and a command cannot be combined: the output is that of the command");
    if (config.mode && !config.slots) throw cli::UsageError("--mode needs --slots");
    if (config.shared && !has_command && !holds)
        throw cli::UsageError("--shared needs a command or --hold-for");
    if (config.wait_all && (has_command || holds || config.shared || config.slots))
        throw cli::UsageError("--wait-all cannot be combined with a command, -j, -s or --hold-for");
}

Config parse(const Invocation& invocation) {
    Config config;
    bool nonblock = false;
    cli::Options options{invocation, "[KEY] [[--] COMMAND [ARGUMENT...]]"};
    options.operand("KEY", config.key, sysv::Key::parse, sysv::key_help);
    options.command(config.command);
    options.flag("-n,--nonblock", nonblock, "fail immediately if no token is free");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "wait at most DURATION for a token");
    options.value("-E,--exit-status STATUS", config.busy_status, cli::number_between(0, 255),
                  "the exit status if no token was free (default 1)");
    options.value("-j,--slots SLOTS", config.slots,
                  cli::number_between(1, sysv::TokenSet::max_slots),
                  "create the set with SLOTS tokens if it is missing");
    options.value("-m,--mode MODE", config.mode, front::parse_set_mode,
                  "with -j: the permissions of the set, in octal (default 600)");
    options.flag("-s,--shared", config.shared,
                 "share the set with others that use -s, and exclude all others");
    options.flag("--wait-all", config.wait_all, "wait until all tokens are free, and take none");
    options.value("--hold-for PID", config.hold_for, parse_process,
                  "keep the token until process PID ends; PPID means the parent process");
    options.json(config.json);
    options.section("Across hosts");
    front::declare(options, config.across_hosts);
    options.note(
        "With a command, the token comes back when the command ends, even if it is killed, and the "
        "status is that of the command. Without a command, the token stays taken until sem-give.");
    options.example("sem-take -j 4 @build -- make", "run at most four builds at the same time");
    options.example("sem-take -n -j 1 @backup -- rsync -a src/ dst/",
                    "run the backup unless one is running");
    options.example("sem-take --etcd http://a:2379,http://b:2379 -j 4 @build make",
                    "run at most four builds on all hosts together");
    options.example("sem-take -j 1 --hold-for PPID @deploy && work",
                    "keep others out until this shell ends");
    config.verbosity = options.parse();
    if (nonblock) config.wait = Duration::zero();
    config.cluster = front::etcd_access(config.across_hosts.etcd);
    check(config);
    return config;
}

// Whether a person wants to read what happens.
bool tells(const Config& config) {
    const auto& [verbose, quiet] = config.verbosity;
    return !quiet && (verbose || cli::is_terminal(STDERR_FILENO));
}

// After this time, the user learns which process sem-take waits for. Nothing means never.
std::optional<Duration> silence_of(const Config& config) {
    constexpr auto silence = std::chrono::seconds{2};
    if (!tells(config)) return {};
    return config.verbosity.verbose ? Duration::zero() : silence;
}

sysv::TokenSet open_set(const Config& config) {
    if (config.slots) {
        constexpr mode_t owner_only = 0600;
        auto set =
            sysv::TokenSet::create(config.key, *config.slots, config.mode.value_or(owner_only));
        // Say it: a misspelt name makes a set of its own, on which no process waits for another.
        if (set.origin() == sysv::TokenSet::Origin::made && tells(config))
            cli::diagnose(fmt::format("created the set {} with {}", config.key.text(),
                                      counted(static_cast<std::uint64_t>(*config.slots), "slot")));
        return set;
    }
    if (auto set = sysv::TokenSet::find(config.key)) return *std::move(set);
    throw Error(fmt::format(
        "cannot take from {0}: there is no such set (create it with sem-create {0}, or use -j)",
        config.key.text()));
}

// Empty on an error, because no error here may end our wait.
std::vector<sysv::TokenHolder> holders_of(const sysv::TokenSet& set) try {
    return set.holders();
} catch (const Error&) {
    return {};
}

// Throws when we would wait for ever, because the processes that we would wait for are we or wait
// for us.
void refuse_to_wait_for_ourselves(const sysv::TokenSet& set, const Config& config) {
    const auto holders = holders_of(set);
    const auto ours = std::ranges::count_if(holders, sysv::is_ourselves);
    // To take a token, one free token is enough. To share the set or to wait for all, all must be
    // free.
    const bool needs_all = config.shared || config.wait_all;
    if (ours == 0 || (!needs_all && ours != std::ssize(holders))) return;
    throw Error(fmt::format("cannot take from {}: {} has a token, and is this process or an "
                            "ancestor of it, so this would wait forever",
                            config.key.text(),
                            std::ranges::find_if(holders, sysv::is_ourselves)->text()));
}

// Takes or shares a token, or waits for all, until the deadline of the command line. Tells a person
// which process it waits for.
bool take(sysv::TokenSet& set, sysv::Lease lease, const Config& config) {
    const Deadline deadline = Deadline::after_or_never(config.wait);
    const auto attempt = [&](Deadline limit) {
        if (config.wait_all) return set.wait_until_free(limit);
        return config.shared ? set.share(limit) : set.take(lease, limit);
    };
    if (attempt(Deadline::after(Duration::zero()))) return true;
    if (!deadline.passed()) {
        refuse_to_wait_for_ourselves(set, config);
        if (const auto silence = silence_of(config)) {
            if (attempt(std::min(Deadline::after(*silence), deadline))) return true;
            if (!deadline.passed())
                cli::diagnose(fmt::format("waiting for {}", sysv::text_of(holders_of(set))));
        }
        if (attempt(deadline)) return true;
    }
    if (!config.verbosity.quiet)
        cli::diagnose(
            fmt::format("{} is taken by {}", config.key.text(), sysv::text_of(holders_of(set))));
    return false;
}

void report(const sysv::TokenSet& set, std::string_view name, bool outcome, const Config& config) {
    if (!config.json) return;
    cli::JsonLine{}
        .set("key", config.key.text())
        .set("id", set.id())
        .set_flag(name, outcome)
        .print();
}

// Takes a token and becomes the command, which then holds the token.
int take_for_command(const Config& config) {
    return front::run_command(config.command, [&](const front::Command& command) {
        auto set = open_set(config);
        if (!take(set, sysv::Lease::until_process_ends, config)) return config.busy_status;
        command.become();
    });
}

int take_for_process(const Config& config) {
    return sysv::start_keeper(config.hold_for, cli::guarded, [&] {
        auto set = open_set(config);
        const bool taken = take(set, sysv::Lease::until_owner_ends, config);
        report(set, "taken", taken, config);
        return taken ? exit_status::done : config.busy_status;
    });
}

int take_until_given(const Config& config) {
    auto set = open_set(config);
    const bool taken = take(set, sysv::Lease::until_given, config);
    try {
        report(set, "taken", taken, config);
    } catch (const Error&) {
        // Give it back, because we are about to fail. A script does not give a token back after
        // sem-take has failed.
        if (taken) (void)set.give(Deadline::after(Duration::zero()));
        throw;
    }
    return taken ? exit_status::done : config.busy_status;
}

int wait_for_all(const Config& config) {
    auto set = open_set(config);
    const bool free = take(set, sysv::Lease::until_given, config);
    report(set, "free", free, config);
    return free ? exit_status::done : config.busy_status;
}

int take_of_cluster(const Config& config) {
    const front::ClusterTaking taking{.access = *config.cluster,
                                      .options = config.across_hosts,
                                      .key = config.key.text(),
                                      .slots = config.slots,
                                      .wait = config.wait,
                                      .busy_status = config.busy_status,
                                      .silence = silence_of(config),
                                      .tells_result = !config.verbosity.quiet,
                                      .json = config.json};
    if (!config.command.empty()) return front::take_for_command(taking, config.command);
    if (config.hold_for != 0) return front::take_for_process(taking, config.hold_for);
    return front::take_until_given(taking);
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (config.cluster) return take_of_cluster(config);
    if (config.wait_all) return wait_for_all(config);
    if (!config.command.empty()) return take_for_command(config);
    if (config.hold_for != 0) return take_for_process(config);
    return take_until_given(config);
}

} // namespace

extern constexpr Applet sem_take{"take a token from a semaphore set", run};

} // namespace ipcbox
