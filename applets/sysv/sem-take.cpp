// sem-take - take a token of a semaphore set, for good or while a command runs
#include "applet.h"
#include "cli/border.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "cluster/lent_token.h"
#include "core/signals.h"
#include "front/ipc/etcd_options.h"
#include "front/ipc/guarded_run.h"
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
    front::EtcdOptions etcd;
    Duration ttl = cluster::default_ttl;
    cluster::OnLost on_lost = cluster::OnLost::kill;
    std::optional<Duration> grace;
    std::optional<cluster::EtcdAccess> cluster; // nothing: the tokens are those of this host
    bool nonblock = false;
    cli::Verbosity verbosity;
    std::vector<std::string> command;
};

pid_t parse_process(std::string_view text) {
    if (text == "PPID") return ::getppid();
    try {
        return cli::number_between(1, 4194304)(text);
    } catch (const std::invalid_argument&) {
        throw std::invalid_argument("expected a process number or PPID");
    }
}

Duration parse_ttl(std::string_view text) {
    constexpr auto shortest = std::chrono::seconds{2};
    constexpr auto longest = std::chrono::hours{24};
    const auto ttl = cli::parse_duration(text);
    if (ttl < shortest || ttl > longest || ttl % std::chrono::seconds{1} != Duration::zero())
        throw std::invalid_argument("expected whole seconds, from 2s to 24h");
    return ttl;
}

cluster::OnLost parse_on_lost(std::string_view text) {
    if (text == "kill") return cluster::OnLost::kill;
    if (text == "pause") return cluster::OnLost::pause;
    if (text == "warn") return cluster::OnLost::warn;
    throw std::invalid_argument("expected kill, pause or warn");
}

void check_cluster(const Config& config) {
    if (config.shared || config.wait_all || config.mode || config.hold_for != 0)
        throw cli::UsageError("--etcd does not go with -s, --wait-all, --hold-for or -m");
    (void)front::etcd_keys(config.key.text()); // a path is refused
    if (config.grace && *config.grace > cluster::max_grace_of(config.ttl))
        throw cli::UsageError("--grace: expected at most half of --ttl");
}

void check(const Config& config) {
    if (config.cluster) check_cluster(config);
    const bool has_command = !config.command.empty();
    const bool holds = config.hold_for != 0;
    if (holds && has_command) throw cli::UsageError("--hold-for and a command exclude each other");
    if (config.json && has_command)
        throw cli::UsageError("--json and a command exclude each other: its output is its own");
    if (config.mode && !config.slots) throw cli::UsageError("--mode goes with --slots");
    if (config.shared && !has_command && !holds)
        throw cli::UsageError("--shared needs a command or --hold-for");
    if (config.wait_all && (has_command || holds || config.shared || config.slots))
        throw cli::UsageError(
            "--wait-all takes no token: no command, -j, -s or --hold-for with it");
}

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[KEY] [[--] COMMAND [ARGUMENT...]]"};
    options.operand("KEY", config.key, sysv::Key::parse, sysv::key_help);
    options.command(config.command);
    options.flag("-n,--nonblock", config.nonblock, "fail at once when no token is free");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "wait at most DURATION for a token");
    options.value("-E,--exit-status STATUS", config.busy_status, cli::number_between(0, 255),
                  "the exit status when no token was free (default 1)");
    options.value("-j,--slots SLOTS", config.slots,
                  cli::number_between(1, sysv::TokenSet::max_slots),
                  "create the set with SLOTS tokens if it is missing");
    options.value("-m,--mode MODE", config.mode, front::parse_set_mode,
                  "with -j: the permissions of the set, in octal (default 600)");
    options.flag("-s,--shared", config.shared,
                 "share the set with others that use -s, and with nobody else");
    options.flag("--wait-all", config.wait_all, "wait until all tokens are back, and take none");
    options.value("--hold-for PID", config.hold_for, parse_process,
                  "keep the token until process PID ends; PPID means the parent process");
    options.json(config.json);
    options.section("Across hosts");
    front::declare(options, config.etcd);
    options.value("--ttl DURATION", config.ttl, parse_ttl,
                  "how long a token stays taken when its host is lost (default 15s)");
    options.value("--on-lost ACTION", config.on_lost, parse_on_lost,
                  "what to do with the command when the token may be lost: kill (default), pause "
                  "or warn");
    options.value("--grace DURATION", config.grace, cli::parse_duration,
                  "with --on-lost kill: the time from TERM to KILL (default a quarter of --ttl)");
    options.note("With a command, the token comes back however the command ends, and the exit "
                 "status is the command's own. Without one, the token stays taken until sem-give.");
    options.example("sem-take -j 4 @build -- make", "run at most four of these at once");
    options.example("sem-take -n -j 1 @backup -- rsync -a src/ dst/",
                    "run the backup unless one is running");
    options.example("sem-take --etcd http://a:2379,http://b:2379 -j 4 @build make",
                    "run at most four of these on all hosts together");
    options.example("sem-take -j 1 --hold-for PPID @deploy && work",
                    "keep others out until this shell ends");
    config.verbosity = options.parse();
    if (config.nonblock) config.wait = Duration::zero();
    config.cluster = front::etcd_access(config.etcd);
    check(config);
    return config;
}

// Whether to tell a person what happens.
bool tells(const Config& config) {
    const auto& [verbose, quiet] = config.verbosity;
    return !quiet && (verbose || cli::is_terminal(STDERR_FILENO));
}

sysv::TokenSet open_set(const Config& config) {
    if (config.slots) {
        constexpr mode_t owner_only = 0600;
        auto set =
            sysv::TokenSet::create(config.key, *config.slots, config.mode.value_or(owner_only));
        // A misspelt name creates a set of its own, on which no process waits for another.
        if (set.origin() == sysv::TokenSet::Origin::made && tells(config))
            cli::diagnose(fmt::format("made the set {} with {} slot{}", config.key.text(),
                                      *config.slots, *config.slots == 1 ? "" : "s"));
        return set;
    }
    if (auto set = sysv::TokenSet::find(config.key)) return *std::move(set);
    throw Error(fmt::format("cannot take from {0}: there is no such set (make it: sem-create {0}, "
                            "or use -j)",
                            config.key.text()));
}

// No error here may end our wait.
std::vector<sysv::TokenHolder> holders_of(const sysv::TokenSet& set) try {
    return set.holders();
} catch (const Error&) {
    return {};
}

// Throws when the wait would never end, because the processes that we would wait for wait for us.
void refuse_to_wait_for_ourselves(const sysv::TokenSet& set, const Config& config) {
    const auto holders = holders_of(set);
    const auto ours = std::ranges::count_if(holders, sysv::is_ourselves);
    // One free token is enough to take one; all have to be free to share the set or to wait for
    // all.
    const bool needs_all = config.shared || config.wait_all;
    if (ours == 0 || (!needs_all && ours != std::ssize(holders))) return;
    throw Error(fmt::format("cannot take from {}: this would wait for itself: {} has a token, and "
                            "is this process or has started it",
                            config.key.text(),
                            std::ranges::find_if(holders, sysv::is_ourselves)->text()));
}

// Does what was asked for by the deadline of the command line; says what it waits for.
bool take(sysv::TokenSet& set, sysv::Lease lease, const Config& config) {
    constexpr auto patience = std::chrono::seconds{2};
    const Deadline deadline = Deadline::after_or_never(config.wait);
    const auto attempt = [&](Deadline limit) {
        if (config.wait_all) return set.wait_until_free(limit);
        return config.shared ? set.share(limit) : set.take(lease, limit);
    };
    if (attempt(Deadline::after(Duration::zero()))) return true;
    if (!deadline.passed()) {
        refuse_to_wait_for_ourselves(set, config);
        if (tells(config)) {
            const auto silent = config.verbosity.verbose ? Duration::zero() : Duration{patience};
            if (attempt(std::min(Deadline::after(silent), deadline))) return true;
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

cluster::TokenWish wish_of(const Config& config, const cluster::TokenEntry& entry) {
    const auto wait = config.nonblock ? std::nullopt : config.wait;
    return {.keys = front::etcd_keys(config.key.text()),
            .entry = entry,
            .slots = config.slots,
            .ttl = config.ttl,
            .must_be_free = config.nonblock,
            .first_answer = Deadline::after(
                std::min(wait.value_or(front::etcd_patience), front::etcd_patience))};
}

// After which time the user is told for whom we wait; nothing: never.
std::optional<Duration> silence_of(const Config& config) {
    constexpr auto silence = std::chrono::seconds{2};
    if (!tells(config)) return {};
    return config.verbosity.verbose ? Duration::zero() : silence;
}

int take_of_cluster(const Config& config) {
    return front::run_command(config.command, [&](const front::Command& command) {
        const auto wait = config.nonblock ? std::nullopt : config.wait;
        const cluster::KeeperPlan plan{
            .access = *config.cluster,
            .wish = wish_of(config, cluster::TokenEntry::ours(config.command.front())),
            .on_lost = config.on_lost,
            .grace = config.grace,
            .wait = Deadline::after_or_never(wait),
            .busy_status = config.busy_status,
            .silence = silence_of(config),
            .tells_result = !config.verbosity.quiet,
        };
        return front::run_guarded(command, plan);
    });
}

// Until sem-give --etcd: our parent has it, as far as anybody can be said to.
int take_lent(const Config& config) {
    const auto parent = find_process(::getppid());
    auto entry = cluster::TokenEntry::ours(parent ? parent->name : "");
    entry.pid = ::getppid();
    cluster::EtcdClient client{*config.cluster};
    const auto wait = config.nonblock ? std::nullopt : config.wait;
    const auto lent = cluster::take_lent_token(
        client, {wish_of(config, entry), Deadline::after_or_never(wait), silence_of(config),
                 [](const std::string& line) { cli::diagnose(line); }});
    if (lent.signal != 0) die_of(lent.signal);
    if (!lent.is_taken && !config.verbosity.quiet)
        cli::diagnose(
            fmt::format("{} is taken by {}", config.key.text(), cluster::names_of(lent.holders)));
    if (config.json)
        cli::JsonLine{}.set("key", config.key.text()).set_flag("taken", lent.is_taken).print();
    return lent.is_taken ? exit_status::done : config.busy_status;
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
        // We are about to fail, and a script does not give a token back after sem-take has failed.
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

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (config.cluster) return config.command.empty() ? take_lent(config) : take_of_cluster(config);
    if (config.wait_all) return wait_for_all(config);
    if (!config.command.empty()) return take_for_command(config);
    if (config.hold_for != 0) return take_for_process(config);
    return take_until_given(config);
}

} // namespace

extern constexpr Applet sem_take{"take a token of a semaphore set", run};

} // namespace ipcbox
