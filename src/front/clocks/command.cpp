#include "front/clocks/command.h"

#include "cli/output.h"
#include "core/error.h"
#include "core/poll.h"
#include "core/signals.h"
#include "front/clocks/report.h"

#include <csignal>
#include <exception>
#include <fmt/core.h>
#include <new>

namespace ipcbox::front {

namespace {

// The signal that came, or 0 when the time is over.
int rest(Deadline until, SignalFd& signals) {
    while (wait_for(signals.fd(), POLLIN, until))
        if (const auto signal = signals.next()) return *signal;
    return 0;
}

// Runs all rounds. Returns the signal that ended them, or 0.
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

int ask_clocks(const Invocation& invocation, const ClockKind& kind) {
    const ClockConfig config = parse_clock_options(invocation, kind);
    ClockReport report{config};
    int signal = 0;
    {
        SignalFd signals{SIGINT, SIGTERM, SIGHUP};
        signal = ask_all(config, report, signals);
    }
    if (signal != 0) die_of(signal);
    return report.status();
}

// A monitor reads only standard output and the status, so say there too why there is no result.
[[noreturn]] void fail_check(CheckForm form, const std::string& reason, std::string_view advice) {
    const auto verdict = unknown_verdict(reason);
    try {
        cli::print(form == CheckForm::object ? verdict.object()
                                             : verdict.line(cli::program_name()));
        cli::flush();
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): the status still says it
    }
    throw Error(fmt::format("{}{}", reason, advice), verdict.status());
}

} // namespace

int run_clocks(const Invocation& invocation, const ClockKind& kind) {
    const auto form = form_of_check(invocation.arguments);
    if (form == CheckForm::none) return ask_clocks(invocation, kind);
    try {
        return ask_clocks(invocation, kind);
    } catch (const cli::UsageError& error) {
        fail_check(form, error.what(), fmt::format(" (see {} --help)", invocation.name));
    } catch (const std::bad_alloc&) {
        fail_check(form, "out of memory", {});
    } catch (const std::exception& error) {
        fail_check(form, error.what(), {});
    }
}

} // namespace ipcbox::front
