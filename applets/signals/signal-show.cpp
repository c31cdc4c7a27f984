// signal-show - show how processes handle signals
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/number.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "process/identity.h"
#include "process/selection.h"
#include "process/signal_masks.h"
#include "process/tree.h"

#include <fmt/format.h>
#include <map>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    std::vector<process::Identity> processes;
    bool self = false;
    bool all = false;
    bool threads = false;
    std::optional<Duration> watch;
    bool json = false;
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[PID...]"};
    options.operands("PID", config.processes, process::parse_identity,
                     "a process, or PID:START (default: the process that calls signal-show)");
    options.flag("--self", config.self, "show the settings that signal-show itself inherits");
    options.flag("-a,--all", config.all, "show all processes except kernel threads");
    options.flag("--threads", config.threads,
                 "show each thread, because each has its own blocked signals");
    options.value("--watch DURATION", config.watch, cli::parse_positive_duration,
                  "look again at this interval, and print the changes");
    options.json(config.json);
    options.example("signal-show 812", "find out why a process does not react to TERM");
    options.example("signal-show", "show which signals the shell catches and ignores");
    options.example("signal-show --watch 1s 812", "watch for signals that stay pending");
    config.verbosity = options.parse();
    const int ways =
        (config.processes.empty() ? 0 : 1) + (config.self ? 1 : 0) + (config.all ? 1 : 0);
    if (ways > 1) throw cli::UsageError("PID, --self and --all cannot be combined");
    if (ways == 0) config.processes.push_back({::getppid(), {}});
    if (config.self) config.processes.push_back({::getpid(), {}});
    return config;
}

// A process, or one of its threads.
struct Place {
    pid_t process = 0;
    pid_t thread = 0;

    friend auto operator<=>(const Place&, const Place&) = default;
};

std::vector<std::string> names_of(process::SignalMask mask) {
    return process::names_in(mask);
}

void print_row(std::string_view what, process::SignalMask mask) {
    if (mask != 0) cli::print_line("  {:<8} {}", what, fmt::join(names_of(mask), " "));
}

void print(const Config& config, Place place, const std::string& name,
           const process::SignalMasks& masks) {
    if (config.json) {
        cli::JsonLine line;
        line.set("pid", place.process);
        if (config.threads) line.set("thread", place.thread);
        line.set("name", name)
            .set("ignored", names_of(masks.ignored))
            .set("caught", names_of(masks.caught))
            .set("blocked", names_of(masks.blocked))
            .set("pending", names_of(masks.pending))
            .print();
        return;
    }
    // A name can contain any byte, and standard output may be a terminal.
    const auto shown = cli::visible(name);
    if (config.threads)
        cli::print_line("{} thread {} ({})", place.process, place.thread, shown);
    else
        cli::print_line("{} ({})", place.process, shown);
    print_row("ignored", masks.ignored);
    print_row("caught", masks.caught);
    print_row("blocked", masks.blocked);
    print_row("pending", masks.pending);
}

// The name in the first line of a status file: "Name:\tsh", where \n and \\ are escaped.
std::string name_in(std::string_view status) {
    status = status.substr(0, status.find('\n'));
    const auto tab = status.find('\t');
    return std::string{tab == std::string_view::npos ? "" : status.substr(tab + 1)};
}

class Show {
  public:
    explicit Show(const Config& config) : config_(config) {}

    int run() {
        bool all_found = look();
        while (config_.watch && living_ > 0) {
            cli::flush();
            (void)poll_until({}, Deadline::after(*config_.watch));
            (void)look();
        }
        return all_found ? exit_status::done : exit_status::failed;
    }

  private:
    // False when a process that the user named is gone.
    bool look() {
        living_ = 0;
        bool all_found = true;
        // With --all, a process may end in the meantime. That is no error.
        for (const auto& identity : config_.all ? everybody() : config_.processes) {
            const bool found = show(identity);
            all_found &= found || config_.all;
            if (!found && !config_.all && seen_.empty())
                cli::diagnose(
                    fmt::format("cannot show {}: {}", identity.text(),
                                has_own_proc() ? "no such process" : no_own_proc_reason()));
        }
        return all_found;
    }

    static std::vector<process::Identity> everybody() {
        std::vector<process::Identity> all;
        for (const pid_t pid : process::all_pids())
            all.push_back({pid, {}});
        return all;
    }

    bool show(const process::Identity& identity) {
        if (identity.start && !process::find(identity)) return false;
        bool found = false;
        for (const pid_t thread :
             config_.threads ? process::threads_of(identity.pid) : std::vector{identity.pid}) {
            const auto status = read_process_file(
                identity.pid,
                config_.threads ? fmt::format("task/{}/status", thread) : std::string{"status"});
            const auto masks = status ? process::parse_signal_masks(*status) : std::nullopt;
            // With --all, leave out kernel threads and zombies, which have no memory.
            if (!masks || (config_.all && status->find("\nVmSize:") == std::string::npos)) continue;
            found = true;
            ++living_;
            const Place place{identity.pid, thread};
            const auto known = seen_.find(place);
            if (known != seen_.end() && known->second == *masks) continue;
            if (config_.watch) seen_[place] = *masks;
            print(config_, place, name_in(*status), *masks);
        }
        return found;
    }

    const Config& config_;
    std::map<Place, process::SignalMasks> seen_;
    std::size_t living_ = 0;
};

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return Show{config}.run();
}

} // namespace

extern constexpr Applet signal_show{"show how processes handle signals", run};

} // namespace ipcbox
