#include "front/client/command.h"

#include "cli/json.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/poll.h"
#include "front/run_command.h"
#include "net/relay.h"
#include "net/unreachable.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

using Clock = Deadline::Clock;

// How long --wait and --wait-for wait when nothing is said.
constexpr auto default_patience = std::chrono::seconds{30};
// One attempt, of several: a machine that drops our packets must not keep us from trying again.
constexpr auto attempt_limit = std::chrono::seconds{3};
constexpr auto first_pause = std::chrono::milliseconds{5};
constexpr auto longest_pause = std::chrono::milliseconds{250};

// Calls ATTEMPT until nothing is unreachable any more. Throws TimedOut with the last reason.
template <class Attempt> auto retry(const Attempt& attempt, Deadline deadline) {
    std::string reason;
    for (Duration pause = first_pause;; pause = std::min<Duration>(pause * 3 / 2, longest_pause)) {
        try {
            return attempt(std::min(deadline, Deadline::after(attempt_limit)));
        } catch (const net::Unreachable& unreachable) {
            reason = unreachable.what();
        } catch (const TimedOut& timed_out) {
            // Cut off by our own deadline, it knows less than those before it.
            if (reason.empty()) reason = timed_out.what();
        }
        const auto next = Deadline::after(pause);
        if (deadline < next) throw TimedOut(fmt::format("wait for a server: {}", reason));
        (void)poll_until({}, next);
    }
}

Deadline connect_deadline(const ClientOptions& options) {
    const bool patient = options.retry || !options.wait_for.empty();
    if (patient && !options.connect_limit) return Deadline::after(default_patience);
    return Deadline::after_or_never(options.connect_limit);
}

Connection reach(const ClientOptions& options, const std::string& target, const Connect& connect) {
    const auto deadline = connect_deadline(options);
    auto connection = options.retry
                          ? retry([&](Deadline limit) { return connect(target, limit); }, deadline)
                          : connect(target, deadline);
    if (options.verbosity.verbose)
        cli::diagnose(fmt::format("connected to {}{}", connection.address,
                                  connection.tls ? ", " + connection.tls->description() : ""));
    return connection;
}

// The first of the targets that answers.
Connection reach_any(const std::vector<std::string>& targets, const Connect& connect,
                     Deadline deadline) {
    std::string reasons;
    for (const auto& target : targets)
        try {
            return connect(target, std::min(deadline, Deadline::after(attempt_limit)));
        } catch (const net::Unreachable& unreachable) {
            reasons.append(reasons.empty() ? "" : "; ").append(unreachable.what());
        } catch (const TimedOut& timed_out) {
            reasons.append(reasons.empty() ? "" : "; ").append(timed_out.what());
        }
    throw net::Unreachable(reasons);
}

void wait_for_targets(const ClientOptions& options, const Connect& connect) {
    const auto told = [&](const Connection& connection) {
        if (options.verbosity.verbose)
            cli::diagnose(fmt::format("{} is there", connection.address));
    };
    const auto deadline = connect_deadline(options);
    if (options.any)
        told(retry([&](Deadline) { return reach_any(options.wait_for, connect, deadline); },
                   deadline));
    else
        for (const auto& target : options.wait_for)
            told(retry([&](Deadline limit) { return connect(target, limit); }, deadline));
}

int wait_and_execute(const ClientOptions& options, const Connect& connect) {
    if (options.command.empty()) {
        wait_for_targets(options, connect);
        return exit_status::done;
    }
    return run_command(options.command, [&](const Command& command) -> int {
        wait_for_targets(options, connect);
        command.become();
    });
}

// Whether somebody gave us something to send. /dev/null stands for nothing (cron, ssh -n, a shell's
// background jobs): its end would close our half of the connection, which some servers take for
// the end of all.
bool input_is_meant() {
    return cli::is_open(STDIN_FILENO) && !cli::is_null_device(STDIN_FILENO) &&
           !cli::is_terminal(STDIN_FILENO);
}

double milliseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>{duration}.count();
}

// How it went.
struct Report {
    Clock::time_point start = Clock::now();
    Clock::time_point resolved{};
    Clock::time_point connected{};
    net::RelayCounts counts;

    [[nodiscard]] double resolve_ms() const { return milliseconds(resolved - start); }
    [[nodiscard]] double connect_ms() const { return milliseconds(connected - resolved); }
    [[nodiscard]] double total_ms() const { return milliseconds(Clock::now() - start); }
    [[nodiscard]] double first_byte_ms() const {
        return milliseconds(*counts.first_answer - connected);
    }

    void print_text() const {
        const auto first = counts.first_answer ? fmt::format("{:.3f} ms", first_byte_ms()) : "none";
        cli::diagnose(fmt::format("resolve {:.3f} ms, connect {:.3f} ms, first byte {}, total "
                                  "{:.3f} ms; {} bytes sent, {} received",
                                  resolve_ms(), connect_ms(), first, total_ms(), counts.request,
                                  counts.answer));
    }
    void print_json(const std::string& target, const Connection& connection) const {
        cli::JsonLine line;
        line.set("target", target).set_flag("connected", true).set("address", connection.address);
        if (connection.tls) line.set("tls", connection.tls->description());
        line.set("resolve_ms", resolve_ms()).set("connect_ms", connect_ms());
        if (counts.first_answer)
            line.set("first_byte_ms", first_byte_ms());
        else
            line.set_null("first_byte_ms");
        line.set("total_ms", total_ms()).set("sent", counts.request).set("received", counts.answer);
        line.print();
    }
};

void converse(const ClientOptions& options, const std::string& target, Connection& connection,
              net::RelayCounts& counts) {
    const bool send = options.send || input_is_meant();
    net::RelayEnd here = net::RelayEnd::streams(send ? STDIN_FILENO : -1, STDOUT_FILENO);
    Fd file;
    if (options.output && *options.output != "-") {
        constexpr mode_t mode = 0666;
        file = open_file(*options.output, O_WRONLY | O_CREAT | O_TRUNC, mode);
        here.out = file.get();
        here.out_name = *options.output;
    }
    net::RelayOptions how;
    how.idle = options.idle_limit;
    how.most_answer = options.most_bytes;
    how.request_end = connection.request_end;
    using Finish = net::RelayOptions::FinishRequest;
    how.finish_request = cli::is_terminal(STDIN_FILENO) ? Finish::never
                         : options.send                 ? Finish::always
                                                        : Finish::if_begun;
    cli::VisibleText visible;
    std::string shown;
    if (!options.raw && cli::is_terminal(here.out))
        how.filter = [&](net::Flow flow, std::string_view chunk) -> std::string_view {
            if (flow == net::Flow::request) return chunk;
            shown = chunk.empty() ? visible.finish() : visible.next(chunk);
            return shown;
        };
    try {
        net::relay(here, connection.end(target), how, counts);
    } catch (const SysError&) {
        if (connection.tls) connection.tls->check(); // it may know better why
        throw;
    }
    if (connection.tls) connection.tls->check_end(Deadline::after_or_never(options.idle_limit));
    file.close(here.out_name);
}

int talk(const ClientOptions& options, const std::string& target, const Connect& connect) {
    Report report;
    auto connection = reach(options, target, connect);
    report.resolved = connection.resolved;
    report.connected = Clock::now();
    if (!options.test_only) converse(options, target, connection, report.counts);
    if (options.timing) report.print_text();
    if (options.json) report.print_json(target, connection);
    return exit_status::done;
}

// That nobody answers is what was asked, and so no error.
int test(const ClientOptions& options, const std::string& target, const Connect& connect) {
    const auto negative = [&](const Error& error) {
        if (options.verbosity.verbose) cli::diagnose(error.what());
        if (options.json)
            cli::JsonLine{}
                .set("target", target)
                .set_flag("connected", false)
                .set("reason", error.what())
                .print();
        return error.status();
    };
    try {
        return talk(options, target, connect);
    } catch (const net::Unreachable& unreachable) {
        return negative(unreachable);
    } catch (const TimedOut& timed_out) {
        return negative(timed_out);
    }
}

} // namespace

void declare(cli::Options& options, ClientOptions& into, std::string_view target,
             const std::function<std::string(std::string_view)>& parse_target) {
    options.command(into.command);
    options.flag("-s,--send", into.send, "send standard input also when it is a terminal");
    options.value("-w,--connect-timeout DURATION", into.connect_limit, cli::parse_duration,
                  "wait no longer for the connection");
    options.flag("--wait", into.retry, "try again until somebody answers (default 30 s, or -w)");
    options.flag("-z,--test", into.test_only, "only test whether somebody answers");
    options.values(fmt::format("--wait-for {}", target), into.wait_for, parse_target,
                   "wait until it answers, then become COMMAND; several times for all of them");
    options.flag("--any", into.any, "with --wait-for: one of them is enough");
    options.value("-i,--idle-timeout DURATION", into.idle_limit, cli::parse_duration,
                  "give up when no byte comes or goes for so long");
    options.value("--max-bytes SIZE", into.most_bytes, cli::parse_size,
                  "fail when the answer is longer");
    options.value("-o,--output FILE", into.output, cli::parse_text,
                  "write what comes to FILE (- for standard output)");
    options.flag("--raw", into.raw, "show control characters to the terminal as they come");
    options.flag("--timing", into.timing, "say how long each step took");
    options.json(into.json);
}

void parse(cli::Options& options, ClientOptions& into) {
    into.verbosity = options.parse();
    const bool waits = !into.wait_for.empty();
    if (!into.command.empty() && !waits)
        throw cli::UsageError(fmt::format("unexpected operand '{}': a command goes with --wait-for",
                                          into.command.front()));
    if (into.any && !waits) throw cli::UsageError("--any goes with --wait-for");
    if (waits && (into.send || into.test_only || into.json || into.timing || into.output))
        throw cli::UsageError("--wait-for only waits: no -s, -z, -o, -J or --timing with it");
    if (into.test_only && (into.send || into.output))
        throw cli::UsageError("-z only tests: no -s or -o with it");
    const bool to_file = into.output && *into.output != "-";
    if (into.json && !to_file && !into.test_only)
        throw cli::UsageError("--json needs -o FILE or -z: standard output is the server's");
}

int run_client(const ClientOptions& options, const std::string& target, const Connect& connect) {
    if (!options.wait_for.empty()) return wait_and_execute(options, connect);
    return options.test_only ? test(options, target, connect) : talk(options, target, connect);
}

} // namespace ipcbox::front
