// sem-give - give a token back to a semaphore set
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/pidfd.h"
#include "core/poll.h"
#include "sysv/key.h"
#include "sysv/token_set.h"

#include <algorithm>
#include <csignal>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    sysv::Key key = sysv::TokenSet::default_key();
    Duration wait{};
    int busy_status = exit_status::failed;
    bool json = false;
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[KEY]"};
    options.operand("KEY", config.key, sysv::Key::parse, sysv::key_help);
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "wait so long for a token to be taken (default 0)");
    options.value("-E,--exit-status STATUS", config.busy_status, cli::number_between(0, 255),
                  "the status when there is nothing to give (default 1)");
    options.json(config.json);
    options.note("Gives back what sem-take without a command took. What a running process has "
                 "until it ends stays with it; what sem-take --hold-for keeps for one of our "
                 "ancestors is given back by ending the keeper.");
    options.example("sem-take && work; sem-give", "the manual page's pair, key 1234");
    config.verbosity = options.parse();
    return config;
}

bool is_ancestor(pid_t pid) {
    auto process = find_process(::getpid());
    while (process && process->parent != pid)
        process = find_process(process->parent);
    return process.has_value();
}

// Ends the keeper that has a token for one of our ancestors; false when there is none. The token is
// back when the keeper is gone.
bool end_keeper(const std::vector<sysv::TokenHolder>& holders) {
    const auto keeper = std::ranges::find_if(holders, [](const sysv::TokenHolder& holder) {
        return holder.kept_for() != 0 && is_ancestor(holder.kept_for());
    });
    if (keeper == holders.end()) return false;
    const auto process = open_process(keeper->pid);
    if (!process) return true;
    // A keeper has nothing to clean up, and may have been started with SIGTERM ignored.
    send_signal(*process, SIGKILL);
    (void)wait_for(process->get(), POLLIN, Deadline::never());
    return true;
}

// Why a token that is taken is not given.
std::string refusal(const std::vector<sysv::TokenHolder>& holders) {
    std::string who;
    for (const auto& holder : holders)
        who.append(who.empty() ? "" : ", ").append(holder.text());
    return who.empty() ? "not taken" : fmt::format("not given: {} has it until it ends", who);
}

bool give(sysv::TokenSet& set, const Config& config) {
    if (end_keeper(set.holders()) || set.give(Deadline::after(config.wait))) return true;
    if (!config.verbosity.quiet)
        cli::diagnose(fmt::format("{}: {}", config.key.text(), refusal(set.holders())));
    return false;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
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
