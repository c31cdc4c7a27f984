// ipc-list - list System V objects and the processes that use them
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/number.h"
#include "front/ipc/choice.h"
#include "front/ipc/cluster_rows.h"
#include "front/ipc/etcd_options.h"
#include "front/ipc/limits_report.h"
#include "front/ipc/logout.h"
#include "front/ipc/named_rows.h"
#include "front/ipc/rows.h"
#include "front/ipc/tree.h"
#include "front/ipc/watch.h"
#include "front/tls_options.h"
#include "sysv/limits.h"
#include "sysv/named_objects.h"
#include "sysv/object_name.h"
#include "sysv/wait_graph.h"

#include <algorithm>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    std::vector<sysv::ObjectName> names;
    front::IpcKinds kinds;
    bool posix = false;
    bool fifo = false;
    bool tree = false;
    std::optional<Duration> watch;
    bool limits = false;
    front::LimitsCheck check;
    bool json = false;
    front::EtcdOptions etcd;
    cli::Verbosity verbosity;
};

double parse_percent(std::string_view text) {
    constexpr double max_percent = 100;
    if (text.ends_with('%')) text.remove_suffix(1);
    const auto percent = whole_decimal(text);
    if (!percent || *percent > max_percent)
        throw std::invalid_argument("expected percent, from 0 to 100");
    return *percent;
}

void check(const Config& config) {
    const int ways = (config.tree ? 1 : 0) + (config.watch ? 1 : 0) + (config.limits ? 1 : 0);
    if (ways > 1) throw cli::UsageError("--tree, --watch and --limits cannot be combined");
    if ((config.posix || config.fifo) && (ways > 0 || !config.names.empty()))
        throw cli::UsageError(
            "--posix and --fifo cannot be combined with a KEY, --tree, --watch or --limits");
    if (config.check.any() && !config.limits)
        throw cli::UsageError("--warn and --crit need --limits");
    const bool chooses = config.kinds.any() || config.posix || config.fifo || ways > 0;
    if (config.etcd.endpoints && chooses)
        throw cli::UsageError("--etcd can only be combined with KEY and -J");
    if (!config.etcd.endpoints && front::says_something(config.etcd.tls))
        throw cli::UsageError("the options for TLS need --etcd");
    if (config.limits && !config.names.empty())
        throw cli::UsageError("--limits and a KEY cannot be combined");
}

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[KEY...]"};
    options.operands("KEY", config.names, sysv::ObjectName::parse,
                     "an object: 1234, 0x4d2, ./path, @name, an id, or sem:12 (default: all)");
    options.flag("-s,--sem", config.kinds.semaphores, "list semaphore sets");
    options.flag("-m,--shm", config.kinds.memory, "list shared memory segments");
    options.flag("--msg", config.kinds.messages, "list message queues");
    options.flag("--posix", config.posix,
                 "list POSIX shared memory, semaphores and message queues");
    options.flag("--fifo", config.fifo, "list FIFOs that processes have open");
    options.flag("--tree", config.tree, "show which process waits for which, and show deadlocks");
    options.value("--watch DURATION", config.watch, cli::parse_positive_duration,
                  "look again every DURATION, and show the changes");
    options.flag("-l,--limits", config.limits, "show how much of each kernel limit is used");
    options.value("--warn PERCENT", config.check.warn, parse_percent,
                  "with --limits: exit with 1 if PERCENT of a limit is used");
    options.value("--crit PERCENT", config.check.critical, parse_percent,
                  "with --limits: exit with 2 if PERCENT of a limit is used");
    front::declare(options, config.etcd, "list the sets of tokens of this etcd cluster");
    options.json(config.json);
    options.note("If ipc-list cannot see the processes that use an object, it prints \"unknown\".");
    options.example("ipc-list @build",
                    "show the processes that hold tokens of @build or wait for one");
    options.example("ipc-list --tree", "show which process waits for which");
    options.example("ipc-list --etcd http://a:2379", "list the tokens that several hosts share");
    options.example("ipc-list --limits --warn 80 --crit 95",
                    "check the limits for a monitoring program");
    config.verbosity = options.parse();
    check(config);
    return config;
}

void print_lines(const std::vector<std::string>& lines) {
    for (const auto& line : lines)
        cli::print_line("{}", cli::visible_line(line));
}

int show_limits(const Config& config) {
    const auto limits = sysv::read_limits();
    if (config.json)
        for (const auto& limit : limits)
            cli::print(front::json_of(limit, config.check));
    else if (config.check.any())
        print_lines({front::verdict_of(limits, config.check)});
    else
        print_lines(front::table_of(limits));
    return static_cast<int>(front::judge(limits, config.check));
}

struct NamedObjects {
    std::vector<sysv::NamedObject> all;
    bool are_complete = true;
};

// POSIX objects and FIFOs. Reports those that cannot be listed.
NamedObjects named_objects(const Config& config) {
    NamedObjects named;
    auto& objects = named.all;
    const auto append = [&objects](std::vector<sysv::NamedObject> more) {
        std::ranges::move(more, std::back_inserter(objects));
    };
    if (config.posix) {
        append(sysv::memory_files("/dev/shm"));
        if (auto queues = sysv::message_queues("/dev/mqueue")) {
            append(*std::move(queues));
        } else {
            cli::diagnose("cannot list POSIX message queues: /dev/mqueue is not mounted");
            named.are_complete = false;
        }
        sysv::add_users(objects);
    }
    if (config.fifo) append(sysv::open_fifos());
    // Leave ourselves out: we inherit the descriptors of the shell.
    for (auto& object : objects)
        std::erase_if(object.users, [](const auto& user) { return user.pid == ::getpid(); });
    return named;
}

// False if some objects cannot be listed.
bool show_named(const Config& config, front::UserNames& users) {
    const auto named = named_objects(config);
    if (config.json)
        for (const auto& object : named.all)
            cli::print(front::json_of(object, users));
    else
        print_lines(front::table_of(named.all, users));
    return named.are_complete;
}

// Looks at the requested objects.
class Look {
  public:
    explicit Look(const Config& config)
        : config_(config), survey_(front::known_names(config.names)) {}

    std::vector<sysv::Entry> operator()() {
        auto entries = survey_.look_at(front::ipc_objects(config_.kinds, config_.names));
        std::erase_if(entries, [this](const sysv::Entry& entry) {
            return !front::is_meant(entry, config_.names);
        });
        return entries;
    }
    [[nodiscard]] const sysv::Sight<sysv::Waiter>& waiters() const { return survey_.waiters(); }

  private:
    const Config& config_;
    sysv::Survey survey_;
};

// Reports each name that means no object. False if there is one.
bool all_found(const Config& config, const std::vector<sysv::Entry>& entries) {
    bool all = true;
    for (const auto& name : config.names) {
        const auto means = [&](const sysv::Entry& entry) { return name.means(entry); };
        if (std::ranges::any_of(entries, means)) continue;
        cli::diagnose(fmt::format("cannot find {}: there is no such object", name.text()));
        all = false;
    }
    return all;
}

// Warns about users whose objects the system removes when they log out.
void warn_of_logouts(const std::vector<sysv::Entry>& entries, front::UserNames& users) {
    std::vector<uid_t> owners;
    for (const auto& entry : entries)
        if (std::ranges::find(owners, entry.object.owner) == owners.end())
            owners.push_back(entry.object.owner);
    for (const uid_t owner : owners)
        if (front::goes_at_logout(owner))
            cli::diagnose(fmt::format("logind removes all objects of {0} when {0} logs out "
                                      "(RemoveIPC=no in logind.conf keeps them)",
                                      users.of(owner)));
}

void show_tree(const Config& config, const std::vector<sysv::Entry>& entries, const Look& look) {
    if (!config.json) print_lines(front::tree_of(entries, look.waiters()));
    for (const auto& deadlock : sysv::find_deadlocks(entries, look.waiters()))
        if (config.json)
            cli::print(front::json_of(deadlock));
        else
            print_lines({front::text_of(deadlock)});
}

int show_cluster(const Config& config) {
    etcd::Client client{*front::etcd_access(config.etcd)};
    const auto soon = Deadline::after(front::etcd_patience);
    std::vector<cluster::TokenSetState> sets;
    bool all_found = true;
    if (config.names.empty()) sets = cluster::look_at_sets(client, front::etcd_prefix(), soon);
    for (const auto& name : config.names) {
        auto set = cluster::look_at_set(client, front::etcd_keys(name.text()), soon);
        if (set.slots || !set.queue.empty()) {
            sets.push_back(std::move(set));
            continue;
        }
        cli::diagnose(fmt::format("cannot find {}: there is no such set", name.text()));
        all_found = false;
    }
    if (!config.json) print_lines(front::table_of(sets));
    for (const auto& set : sets)
        if (config.json) cli::print(front::json_of(set));
    return all_found ? exit_status::done : exit_status::failed;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (config.etcd.endpoints) return show_cluster(config);
    if (config.limits) return show_limits(config);
    Look look{config};
    if (config.watch) {
        front::watch_ipc([&] { return look(); }, *config.watch,
                         config.json ? front::IpcChanges::Form::json
                                     : front::IpcChanges::Form::text);
        return exit_status::done;
    }
    front::UserNames users;
    bool all_listed = true;
    if (config.posix || config.fifo) {
        all_listed = show_named(config, users);
        if (!config.kinds.any()) return all_listed ? exit_status::done : exit_status::failed;
    }
    const auto entries = look();
    if (config.json)
        for (const auto& entry : entries)
            cli::print(front::json_of(entry, users));
    else if (!config.tree)
        cli::print(front::table_of(entries, users));
    if (config.tree) show_tree(config, entries, look);
    if (!config.json && !config.verbosity.quiet) warn_of_logouts(entries, users);
    all_listed = all_found(config, entries) && all_listed;
    return all_listed ? exit_status::done : exit_status::failed;
}

} // namespace

extern constexpr Applet ipc_list{"list System V objects and the processes that use them", run};

} // namespace ipcbox
