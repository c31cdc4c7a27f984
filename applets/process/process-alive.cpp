// process-alive - check whether processes are alive, gone, zombies or not ours
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "core/process_info.h"
#include "process/identity.h"

#include <algorithm>
#include <array>

namespace ipcbox {
namespace {

struct Config {
    std::vector<process::Identity> processes;
    bool identity = false;
    bool json = false;
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "PID..."};
    options.operands("PID", config.processes, process::parse_identity,
                     "a process, or PID:START, which never means a later process");
    options.flag("-i,--identity", config.identity, "print PID:START for each living process");
    options.json(config.json);
    options.note("The status is 0 if all processes are alive, 1 if one is gone, 3 if one is a "
                 "zombie, and 2 if one is alive but the caller may not signal it. If several "
                 "apply, 1 wins over 3, and 3 over 2.");
    options.example("process-alive $(cat job.pid) || ./job &", "restart a job if it is gone");
    options.example("id=$(process-alive -i $!); process-alive $id",
                    "check that exact process at any later time");
    config.verbosity = options.parse();
    if (config.processes.empty()) throw cli::UsageError("PID is missing");
    return config;
}

// The numbers are the exit statuses.
enum class Life { alive = 0, gone = 1, foreign = 2, zombie = 3 };

constexpr std::string_view text_of(Life life) {
    constexpr std::array<std::string_view, 4> texts{
        "alive", "gone", "alive, but the caller may not signal it", "a zombie"};
    return texts[static_cast<std::size_t>(life)];
}
constexpr std::string_view json_text_of(Life life) {
    constexpr std::array<std::string_view, 4> texts{"alive", "gone", "foreign", "zombie"};
    return texts[static_cast<std::size_t>(life)];
}

bool is_worse(Life left, Life right) {
    constexpr std::array order{Life::alive, Life::foreign, Life::zombie, Life::gone};
    return std::ranges::find(order, left) > std::ranges::find(order, right);
}

Life life_of(const std::optional<process::Found>& found) {
    if (!found) return Life::gone;
    if (found->stat && found->stat->has_ended()) return Life::zombie;
    return process::may_signal(found->handle) ? Life::alive : Life::foreign;
}

void report(const Config& config, const process::Identity& asked,
            const std::optional<process::Found>& found, Life life) {
    if (config.json) {
        cli::JsonLine line;
        line.set("pid", asked.pid).set("state", json_text_of(life));
        if (found && found->stat)
            line.set("id", found->identity(asked.pid).text())
                .set("start", found->stat->start_ticks)
                .set("name", found->stat->name)
                .set("scheduler", std::string{found->stat->state});
        line.print();
    }
    const bool has_identity = found && life != Life::zombie;
    if (config.identity && has_identity) cli::print_line("{}", found->identity(asked.pid).text());
    if (!config.verbosity.verbose) return;
    const auto info = life == Life::gone ? std::nullopt : find_process(asked.pid);
    auto text = fmt::format("{} is {}", info ? info->text() : asked.text(), text_of(life));
    if (has_identity && found->stat) text += ": " + found->identity(asked.pid).text();
    cli::diagnose(text);
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    Life worst = Life::alive;
    for (const auto& asked : config.processes) {
        const auto found = process::find(asked);
        const auto life = life_of(found);
        report(config, asked, found, life);
        if (is_worse(life, worst)) worst = life;
    }
    return static_cast<int>(worst);
}

} // namespace

extern constexpr Applet process_alive{"check whether processes are alive", run};

} // namespace ipcbox
