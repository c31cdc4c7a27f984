// sem-create - make a semaphore set that hands out tokens
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "sysv/key.h"
#include "sysv/token_set.h"

namespace ipcbox {
namespace {

struct Config {
    sysv::Key key = sysv::TokenSet::default_key();
    int slots = 1;
    mode_t mode = 0600;
    std::optional<int> resize;
    Duration wait{};
    bool json = false;
};

Config parse(const Invocation& invocation) {
    Config config;
    const auto slots = cli::number_between(1, sysv::TokenSet::most_slots);
    cli::Options options{invocation, "[KEY]"};
    options.operand("KEY", config.key, sysv::Key::parse, sysv::key_help);
    options.value("-n,--slots SLOTS", config.slots, slots, "how many tokens there are (default 1)");
    options.value("-m,--mode MODE", config.mode, cli::parse_mode,
                  "who may use it, in octal (default 600)");
    options.value("--resize SLOTS", config.resize, slots,
                  "change an existing set, even while it is in use");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "with --resize: wait so long for tokens to come back");
    options.json(config.json);
    options.note("Prints the id of the set. A set with one slot is the one of the perlipc manual "
                 "page; making it a second time changes nothing.");
    options.example("sem-create", "the manual page's set, key 1234");
    options.example("sem-create -n 4 @build", "four tokens under a name");
    options.example("sem-create --resize 8 @build", "eight from now on");
    options.parse();
    return config;
}

sysv::TokenSet resized(const Config& config) {
    auto set = sysv::TokenSet::find(config.key);
    if (!set) throw Error(fmt::format("cannot resize {}: there is no such set", config.key.text()));
    if (!set->resize(*config.resize, Deadline::after(config.wait)))
        throw Error(fmt::format("cannot resize {} to {}: {} of {} are taken", config.key.text(),
                                *config.resize, set->taken(), set->slots()));
    return *std::move(set);
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    const auto set = config.resize ? resized(config)
                                   : sysv::TokenSet::create(config.key, config.slots, config.mode);
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

extern constexpr Applet sem_create{"make a semaphore set that hands out tokens", run};

} // namespace ipcbox
