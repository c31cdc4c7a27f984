// sem-create - create a semaphore set that hands out tokens
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
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
    bool json = false;
};

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
    options.json(config.json);
    options.note("sem-create prints the id of the set. A set with one token is the one of the "
                 "perlipc manual page. If the set exists already, nothing changes.");
    options.example("sem-create", "make the manual page's set, key 1234");
    options.example("sem-create -n 4 @build", "make a set of four tokens under a name");
    options.example("sem-create --resize 8 @build", "change that set to eight tokens");
    options.parse();
    if (config.wait && !config.resize) throw cli::UsageError("--wait goes with --resize");
    if (config.resize && (config.slots || config.mode))
        throw cli::UsageError("--resize changes a set that exists: no --slots or --mode with it");
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

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
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
