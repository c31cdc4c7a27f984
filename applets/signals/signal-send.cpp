// signal-send - send a signal to processes, and report how they ended
#include "applet.h"
#include "cli/values.h"
#include "core/number.h"
#include "core/signals.h"
#include "front/signals/sending.h"

#include <fmt/core.h>
#include <limits>
#include <unistd.h>

namespace ipcbox {
namespace {

using Plan = front::SendPlan;

pid_t parse_group(std::string_view text) {
    return cli::number_between(0, 4'194'304)(text); // PID_MAX_LIMIT
}

uid_t parse_user(std::string_view text) {
    // A uid need not have a name: in many containers it has none.
    if (const auto uid = whole_number<uid_t>(text); uid && *uid != static_cast<uid_t>(-1))
        return *uid;
    return cli::parse_owner(text).uid;
}

// Refuses 0, which kill(1) accepts, and names the applet that does this here.
int parse_signal(std::string_view text) {
    if (text == "0")
        throw std::invalid_argument("to test whether a process exists, use process-alive");
    return cli::parse_signal(text);
}

// Refuses a name that no process can have: it would read as a process that does not run.
std::string parse_name(std::string_view text) {
    constexpr std::size_t longest = 15; // TASK_COMM_LEN
    if (text.empty() || text.size() > longest)
        throw std::invalid_argument("expected a name as ps shows it, of at most 15 bytes; for a "
                                    "longer one, use --exe PATH");
    return std::string{text};
}

process::Identity parse_process(std::string_view text) {
    if (text.starts_with('-') && whole_number<pid_t>(text.substr(1)))
        throw std::invalid_argument(
            fmt::format("for a process group, use --group {}", text.substr(1)));
    return process::parse_identity(text);
}

// Turns -TERM and -9, which kill(1) has, into -sTERM and -s9.
std::string respell(std::string_view word) {
    const auto name = word.substr(word.empty() ? 0 : 1);
    const bool is_signal = word.starts_with('-') && (name == "0" || signal_number(name));
    return is_signal ? fmt::format("-s{}", name) : std::string{word};
}

Plan parse_words(const Invocation& invocation) {
    Plan plan;
    cli::Options options{invocation, "[-SIGNAL] PID..."};
    options.operands("PID", plan.processes, parse_process,
                     "a process, or PID:START, which never means a later process");
    options.respell(respell);
    options.value("-s,--signal SIGNAL", plan.signal, parse_signal,
                  "send this signal (default TERM); -SIGNAL is the same");
    options.value("--group PGID", plan.criteria.group, parse_group,
                  "signal the processes of this group; 0 is the caller's group");
    options.value("--session SID", plan.criteria.session, parse_group,
                  "signal the processes of this session; 0 is the caller's session");
    options.value("--user USER", plan.criteria.user, parse_user,
                  "signal the processes of this user");
    options.value("--name NAME", plan.criteria.name, parse_name,
                  "signal the processes with exactly this name, as ps shows it");
    options.value("--exe PATH", plan.criteria.executable, cli::parse_file,
                  "signal the processes that run this program");
    options.value("--pidfile FILE", plan.pid_file, cli::parse_file,
                  "signal the process whose number is in this file");
    options.value("--match-exe PATH", plan.program, cli::parse_file,
                  "with --pidfile: signal the process only if it runs this program");
    options.flag("--except-self", plan.except_self, "do not signal the calling script");
    options.flag("--tree", plan.tree, "also signal all descendants of the processes");
    options.value(
        "--queue NUMBER", plan.value,
        cli::number_between(std::numeric_limits<int>::min(), std::numeric_limits<int>::max()),
        "send this number with the signal (sigqueue)");
    options.value(
        "--escalate STAGES", plan.stages, process::parse_stages,
        "send these signals one after the other until the processes end, such as TERM:5s,KILL");
    options.value("-w,--wait DURATION", plan.wait, cli::parse_duration,
                  "wait at most this long for the processes to end (status 124)");
    options.flag("--dry-run", plan.dry_run, "print the processes instead of signalling them");
    options.flag("--force", plan.force, "also signal process 1 and signal-send itself");
    options.json(plan.json);
    options.note("If several options select processes, a process must match all of them.");
    options.example("signal-send --escalate TERM:5s,KILL 812",
                    "ask a process to end, and kill it if it does not");
    options.example("signal-send -HUP --pidfile /run/d.pid --match-exe /usr/sbin/d",
                    "signal a daemon, but never another process with its number");
    options.example("signal-send -s HUP --group 0 --except-self",
                    "signal the group of a script, but not the script");
    plan.verbosity = options.parse();
    return plan;
}

void check(const Plan& plan) {
    const int ways = (plan.processes.empty() ? 0 : 1) + (plan.criteria.is_empty() ? 0 : 1) +
                     (plan.pid_file ? 1 : 0);
    if (ways == 0) throw cli::UsageError("PID is missing, and no option selects processes");
    if (ways > 1)
        throw cli::UsageError(
            "PID, --pidfile and the options that select processes cannot be combined");
    if (plan.program && !plan.pid_file) throw cli::UsageError("--match-exe needs --pidfile");
    if (plan.tree && (plan.stages || plan.value))
        throw cli::UsageError("--tree cannot be combined with --escalate or --queue");
    if (plan.stages && plan.signal != SIGTERM)
        throw cli::UsageError("--signal and --escalate cannot be combined");
    if (plan.stages && (plan.wait || plan.value))
        throw cli::UsageError("--escalate cannot be combined with --wait or --queue");
}

Plan parse(const Invocation& invocation) {
    Plan plan = parse_words(invocation);
    check(plan);
    if (plan.criteria.group == 0) plan.criteria.group = ::getpgrp();
    if (plan.criteria.session == 0) plan.criteria.session = ::getsid(0);
    return plan;
}

int run(const Invocation& invocation) {
    return front::send_signals(parse(invocation));
}

} // namespace

extern constexpr Applet signal_send{"send a signal to processes", run};

} // namespace ipcbox
