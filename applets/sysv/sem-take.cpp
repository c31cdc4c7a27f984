// sem-take - take a token of a semaphore set, for good or while a command runs
#include "applet.h"
#include "cli/border.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/child.h"
#include "core/io.h"
#include "core/pidfd.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "front/run_command.h"
#include "sysv/key.h"
#include "sysv/token_set.h"

#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    sysv::Key key = sysv::TokenSet::default_key();
    std::optional<int> slots;
    std::optional<Duration> wait;
    int busy_status = exit_status::failed;
    pid_t hold_for = 0;
    bool json = false;
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

Config parse(const Invocation& invocation) {
    Config config;
    bool nonblock = false;
    cli::Options options{invocation, "[KEY] [[--] COMMAND [ARGUMENT...]]"};
    options.operand("KEY", config.key, sysv::Key::parse, sysv::key_help);
    options.command(config.command);
    options.flag("-n,--nonblock", nonblock, "do not wait: fail when no token is free");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "wait no longer than this");
    options.value("-E,--exit-status STATUS", config.busy_status, cli::number_between(0, 255),
                  "the status when no token was free (default 1)");
    options.value("-j,--slots SLOTS", config.slots,
                  cli::number_between(1, sysv::TokenSet::most_slots),
                  "make a set with so many tokens if it is missing");
    options.value("--hold-for PID", config.hold_for, parse_process,
                  "a keeper holds the token until that process ends; PPID is our parent");
    options.json(config.json);
    options.note("With a command, the token comes back however the command ends, and the status is "
                 "the command's own. Without one, it stays taken until sem-give.");
    options.example("sem-take -j 4 @build -- make", "at most four of these at once");
    options.example("sem-take -n ./backup.lock rsync -a src/ dst/", "or not at all");
    options.example("sem-take --hold-for PPID && work", "until this shell ends, or sem-give");
    config.verbosity = options.parse();
    if (nonblock) config.wait = Duration::zero();
    if (config.hold_for != 0 && !config.command.empty())
        throw cli::UsageError("--hold-for and a command exclude each other");
    if (config.json && !config.command.empty())
        throw cli::UsageError("--json and a command exclude each other: its output is its own");
    return config;
}

sysv::TokenSet open_set(const Config& config) {
    if (config.slots) return sysv::TokenSet::create(config.key, *config.slots, 0600);
    if (auto set = sysv::TokenSet::find(config.key)) return *std::move(set);
    throw Error(fmt::format("cannot take from {0}: there is no such set (make it: sem-create {0}, "
                            "or use -j)",
                            config.key.text()));
}

// That we cannot find out who it is must not end our wait.
std::string holders_text(const sysv::TokenSet& set) {
    std::string text;
    try {
        for (const auto& holder : set.holders())
            text.append(text.empty() ? "" : ", ").append(holder.text());
    } catch (const Error&) {
        text.clear();
    }
    return text.empty() ? "somebody" : text;
}

// Takes a token, telling a person who waits whom they are waiting for.
bool take(sysv::TokenSet& set, sysv::Lease lease, const Config& config) {
    constexpr auto patience = std::chrono::seconds{2};
    const Deadline deadline = Deadline::after_or_never(config.wait);
    const bool tell = config.verbosity.verbose || cli::is_terminal(STDERR_FILENO);
    if (tell && !config.verbosity.quiet) {
        const auto silent = config.verbosity.verbose ? Duration::zero() : Duration{patience};
        if (set.take(lease, std::min(Deadline::after(silent), deadline))) return true;
        if (!deadline.passed()) cli::diagnose(fmt::format("waiting for {}", holders_text(set)));
    }
    if (set.take(lease, deadline)) return true;
    if (!config.verbosity.quiet)
        cli::diagnose(fmt::format("{} is taken by {}", config.key.text(), holders_text(set)));
    return false;
}

void report(const sysv::TokenSet& set, bool taken, const Config& config) {
    if (!config.json) return;
    cli::JsonLine{}
        .set("key", config.key.text())
        .set("id", set.id())
        .set_flag("taken", taken)
        .print();
}

// Takes a token and becomes the command, so that the token is the command's.
[[nodiscard]] int take_for_command(const Config& config) {
    return front::run_command(config.command, [&](const front::Command& command) {
        auto set = open_set(config);
        set.announce_lease();
        if (!take(set, sysv::Lease::until_process_ends, config)) return config.busy_status;
        command.become();
    });
}

// The life of the keeper: it takes the token, lets go of everything else, says so by a byte, and
// ends with OWNER. Until it has said so, it also ends with the waiting sem-take.
int keep(const Config& config, const Fd& owner, Pipe& pipe) {
    pipe.reader = Fd{}; // so that the byte kills us (SIGPIPE) when nobody is there to read it
    sysv::become_keeper(config.hold_for);
    auto set = open_set(config);
    const bool taken = take(set, sysv::Lease::until_process_ends, config);
    report(set, taken, config);
    if (!taken) return config.busy_status;
    detach_from_session();
    outlive_parent();
    write_all(pipe.writer.get(), "k", "a pipe");
    close_descriptors_except(owner);
    (void)wait_for(owner.get(), POLLIN, Deadline::never());
    return exit_status::done;
}

int start_keeper(const Config& config) {
    const auto owner = open_process(config.hold_for);
    if (!owner) throw Error(fmt::format("cannot hold for {}: no such process", config.hold_for));
    Pipe pipe = make_pipe();
    Child keeper = fork_child([&, parent = ::getpid()] {
        end_with_parent(parent);
        return cli::guarded([&] { return keep(config, *owner, pipe); });
    });
    pipe.writer = Fd{};
    std::byte byte{};
    if (read_some(pipe.reader.get(), {&byte, 1}, "a pipe") == 0)
        return keeper.wait().as_exit_status();
    keeper.release();
    return exit_status::done;
}

int take_until_given(const Config& config) {
    auto set = open_set(config);
    const bool taken = take(set, sysv::Lease::until_given, config);
    try {
        report(set, taken, config);
    } catch (const Error&) {
        // We are going to fail, and who failed to take a token does not give it.
        if (taken) (void)set.give(Deadline::after(Duration::zero()));
        throw;
    }
    return taken ? exit_status::done : config.busy_status;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (!config.command.empty()) return take_for_command(config);
    if (config.hold_for != 0) return start_keeper(config);
    return take_until_given(config);
}

} // namespace

extern constexpr Applet sem_take{"take a token of a semaphore set", run};

} // namespace ipcbox
