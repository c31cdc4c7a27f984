#include "front/clocks/command.h"

#include "cli/output.h"
#include "core/poll.h"
#include "core/signals.h"
#include "front/clocks/report.h"

#include <csignal>
#include <fmt/core.h>

namespace ipcbox::front {

namespace {

// The signal that came, or 0 when the time is over.
int rest(Deadline until, SignalFd& signals) {
    while (wait_for(signals.fd(), POLLIN, until))
        if (const auto signal = signals.next()) return *signal;
    return 0;
}

// All rounds; the signal that ended them, or 0.
int ask_all(const ClockConfig& config, ClockReport& report, SignalFd& signals) {
    const int rounds = config.watch ? config.rounds.value_or(0) : 1;
    for (int round = 1;; ++round) {
        const auto next = Deadline::after_or_never(config.watch);
        clocks::Survey survey{config.hosts, config.survey, report};
        report.begin_round();
        const int signal = survey.run(signals);
        report.end_round(survey.ignored());
        if (signal != 0 && survey.finished() < config.hosts.size())
            cli::diagnose(fmt::format("interrupted: {} of {} hosts have not answered",
                                      config.hosts.size() - survey.finished(),
                                      config.hosts.size()));
        if (signal != 0 || round == rounds) return signal;
        if (const int other = rest(next, signals)) return other;
    }
}

} // namespace

int run_clocks(const Invocation& invocation, const ClockKind& kind) {
    const ClockConfig config = parse_clock_options(invocation, kind);
    ClockReport report{config};
    int signal = 0;
    {
        SignalFd signals{SIGINT, SIGTERM, SIGHUP};
        signal = ask_all(config, report, signals);
    }
    if (signal != 0) die_of(signal);
    return config.has_bad_line ? std::max(report.status(), exit_status::failed) : report.status();
}

} // namespace ipcbox::front
