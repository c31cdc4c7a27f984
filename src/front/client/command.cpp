#include "front/client/command.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/io.h"
#include "front/client/http_probe.h"
#include "front/client/wait.h"
#include "front/run_command.h"
#include "net/relay.h"
#include "net/unreachable.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

using Clock = Deadline::Clock;

// How long --wait and --wait-for wait if there is no -w.
constexpr auto default_patience = std::chrono::seconds{30};

Deadline connect_deadline(const ClientOptions& options) {
    const bool patient = options.retry || !options.wait_for.empty();
    if (patient && !options.connect_limit) return Deadline::after(default_patience);
    return Deadline::after_or_never(options.connect_limit);
}

} // namespace

Reached reach(const ClientOptions& options, const std::string& target, const Connect& connect) {
    const auto deadline = connect_deadline(options);
    Reached server;
    const auto attempt = [&](Deadline limit) {
        server = connect(target, limit);
        if (options.http_path) expect_http_answer(server, target, *options.http_path, limit);
    };
    options.retry ? retry("no server answers", attempt, deadline) : attempt(deadline);
    if (options.verbosity.verbose)
        cli::diagnose(fmt::format("connected to {}{}{}", server.address,
                                  server.tls_text.empty() ? "" : ", ", server.tls_text));
    return server;
}

namespace {

void wait_until_there(const ClientOptions& options, const std::string& target,
                      const Connect& connect, Deadline deadline) {
    std::string address;
    const auto attempt = [&](Deadline limit) {
        auto server = connect(target, limit);
        address = server.address;
        if (options.http_path) expect_http_answer(server, target, *options.http_path, limit);
    };
    retry("no server answers", attempt, deadline);
    if (options.verbosity.verbose) cli::diagnose(fmt::format("{} is there", address));
}

void wait_until_closed(const ClientOptions& options, const std::string& target,
                       const Connect& connect, Deadline deadline) {
    const auto attempt = [&](Deadline limit) {
        try {
            (void)connect(target, limit);
        } catch (const net::Refused&) {
            return;
        }
        throw net::Unreachable(fmt::format("{} still accepts connections", target));
    };
    retry("a server has not ended", attempt, deadline);
    if (options.verbosity.verbose) cli::diagnose(fmt::format("{} is closed", target));
}

void wait_for_all(const ClientOptions& options, const Connect& connect) {
    const auto deadline = connect_deadline(options);
    const auto wait = options.closed ? wait_until_closed : wait_until_there;
    wait_for_targets(options.wait_for, options.any ? Need::any : Need::all,
                     [&](const std::string& target) { wait(options, target, connect, deadline); });
}

int wait_and_run(const ClientOptions& options, const Connect& connect) {
    if (options.command.empty()) {
        wait_for_all(options, connect);
        return exit_status::done;
    }
    return run_command(options.command, [&](const Command& command) -> int {
        wait_for_all(options, connect);
        command.become();
    });
}

// Whether standard input has something to send. Under cron, ssh -n and in background jobs it is
// /dev/null, which means no input. We must not pass on its end: that would close our half of the
// connection, and some servers take this for the end of the whole connection.
bool input_is_meant() {
    return cli::is_open(STDIN_FILENO) && !cli::is_null_device(STDIN_FILENO) &&
           !cli::is_terminal(STDIN_FILENO);
}

double milliseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>{duration}.count();
}

// The figures of a conversation.
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
    void print_json(const std::string& target, const Reached& server) const {
        cli::JsonLine line;
        line.set("target", target).set_flag("connected", true).set("address", server.address);
        if (!server.tls_text.empty()) line.set("tls", server.tls_text);
        line.set("resolve_ms", resolve_ms()).set("connect_ms", connect_ms());
        if (counts.first_answer)
            line.set("first_byte_ms", first_byte_ms());
        else
            line.set_null("first_byte_ms");
        line.set("total_ms", total_ms()).set("sent", counts.request).set("received", counts.answer);
        line.print();
    }
};

// Waits until our last bytes are sent, because they are lost if the process that speaks TLS ends
// first.
void end_tls(net::TlsProcess& tls, const ClientOptions& options, const net::RelayCounts& counts) {
    constexpr auto time_to_send = std::chrono::milliseconds{100};
    if (!counts.quit) return tls.check_end(Deadline::after_or_never(options.idle_limit));
    try {
        tls.check_end(Deadline::after(time_to_send));
    } catch (const TimedOut&) {      // NOLINT(bugprone-empty-catch): --quit-after wants no more
    } catch (const net::TlsError&) { // NOLINT(bugprone-empty-catch)
    }
}

void converse(const ClientOptions& options, const std::string& target, Reached& server,
              net::RelayCounts& counts) {
    const bool send = options.send || input_is_meant();
    net::RelayEnd here = net::RelayEnd::streams(send ? STDIN_FILENO : -1, STDOUT_FILENO);
    Fd file;
    if (options.output && *options.output != "-") {
        file = open_file(*options.output, O_WRONLY | O_CREAT | O_TRUNC, new_file_mode);
        here.out = file.get();
        here.out_name = *options.output;
    }
    net::RelayOptions how;
    how.idle = options.idle_limit;
    how.max_answer = options.max_bytes;
    how.quit_after = options.quit_after;
    how.request_end = server.request_end;
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
        net::relay(here, server.end(target), how, counts);
    } catch (const SysError&) {
        if (server.tls) server.tls->check(); // it may know a better reason
        throw;
    }
    if (server.tls) end_tls(*server.tls, options, counts);
    file.close(here.out_name);
}

int talk(const ClientOptions& options, const std::string& target, const Connect& connect) {
    Report report;
    auto server = reach(options, target, connect);
    report.resolved = server.resolved;
    report.connected = Clock::now();
    if (!options.test_only) converse(options, target, server, report.counts);
    if (options.timing) report.print_text();
    if (options.json) report.print_json(target, server);
    return exit_status::done;
}

// That the server cannot be reached is a valid result of the test, and no error.
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

int run_client(const ClientOptions& options, const std::string& target, const Connect& connect) {
    if (!options.wait_for.empty()) return wait_and_run(options, connect);
    return options.test_only ? test(options, target, connect) : talk(options, target, connect);
}

} // namespace ipcbox::front
