#include "tls/serve.h"

#include "core/child.h"
#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/program.h"
#include "core/signals.h"
#include "core/socket_pair.h"
#include "core/syscall.h"
#include "net/tls_protocol.h"
#include "tls/exchange.h"
#include "tls/sandbox.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::tls {

using namespace tls_protocol;

namespace {

constexpr std::size_t max_report = 16UL * 1024;

void put_at(int from, int number) {
    if (sys::call("dup2", ::dup2, from, number) < 0) throw SysError("set", "a descriptor");
}

// Reports to the process that will become the program. One write is enough, because the pipe has
// room for it.
void report(const std::string& text) {
    sys::call("write", ::write, control, static_cast<const void*>(text.data()), text.size());
}

// Gives the client some time to close first. If we close a socket with unread input, the kernel
// sends a reset, which can overtake our last bytes (RFC 1122, 4.2.2.13).
void wait_for_client() {
    constexpr auto patience = std::chrono::seconds{2};
    constexpr std::size_t enough = 1024UL * 1024;
    const auto deadline = Deadline::after(patience);
    sys::call("shutdown", ::shutdown, network, SHUT_WR);
    std::array<char, 16UL * 1024> buffer{};
    for (std::size_t taken = 0; taken < enough && wait_for(network, POLLIN, deadline);) {
        const auto got =
            sys::call("read", ::read, network, static_cast<void*>(buffer.data()), buffer.size());
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return;
        taken += static_cast<std::size_t>(std::max(got, ssize_t{0}));
    }
}

// The whole life of the process that speaks TLS. It ends after the program: a TERM to the whole
// group must not cut off the program's last bytes.
int speak(const ServerConfig& config) {
    for (const int signal : {SIGPIPE, SIGTERM, SIGHUP, SIGINT})
        (void)::signal(signal, SIG_IGN);
    try {
        Channel channel = make_server(network, config);
        enter_sandbox();
        Exchange exchange{channel, {network, plain, plain}, [](const std::string&) {}};
        exchange.shake_hands(control);
        std::string said{ready};
        said += channel.description() + '\n';
        for (const auto& [name, value] : variables_of(channel))
            said += fmt::format("{}={}\n", name, value);
        report(said + '\n');
        sys::call("close", ::close, control);
        forbid_opening();
        exchange.run();
        wait_for_client();
        return exit_status::done;
    } catch (const Abandoned&) {
    } catch (const std::exception& error) {
        report(fmt::format("{}{}\n\n", failed, error.what()));
    }
    return exit_status::failed;
}

// Starts the process that speaks TLS as nobody's child, because the program must not find a child
// that it did not start.
void start_speaker(const ServerConfig& config, const Fd& theirs, const Fd& control_writer) {
    Child between = fork_child([&] {
        Child speaker = fork_child([&] {
            put_at(theirs.get(), plain);
            put_at(control_writer.get(), control);
            return speak(config);
        });
        speaker.release();
        return exit_status::done;
    });
    if (!between.wait().succeeded()) throw Error("cannot start the process that speaks TLS");
}

std::string hear_report(const Fd& control_reader, const ServePlan& plan) {
    const auto deadline = plan.handshake_ms
                              ? Deadline::after(std::chrono::milliseconds{*plan.handshake_ms})
                              : Deadline::never();
    std::string text;
    while (!text.ends_with("\n\n") && text.size() < max_report) {
        std::array<char, 4096> buffer{};
        const auto got = read_some(control_reader.get(), std::as_writable_bytes(std::span{buffer}),
                                   "what speaks TLS", deadline);
        if (got == 0) break;
        text.append(buffer.data(), got);
    }
    return text;
}

// Sets only variables that we know: the process that sent them has talked to a stranger.
void set_variables(std::string_view lines) {
    while (!lines.empty()) {
        const auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        const auto equals = std::min(line.find('='), line.size());
        const std::string name{line.substr(0, equals)};
        const std::string value{line.substr(std::min(equals + 1, line.size()))};
        if (std::ranges::find(variable_names(), name) != variable_names().end())
            ::setenv(name.c_str(), value.c_str(), 1);
    }
}

} // namespace

void serve(const ServePlan& plan) {
    for (const auto& name : variable_names()) // remove those of another server
        ::unsetenv(name.c_str());
    SocketPair pair = make_socket_pair();
    set_nonblocking(pair.ours);
    if (sys::call("fcntl", ::fcntl, network, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
        throw SysError("use", "standard input as a socket");
    Pipe report_pipe = make_pipe();
    start_speaker(plan.config, pair.ours, report_pipe.writer);
    put_at(pair.theirs.get(), STDIN_FILENO);
    put_at(pair.theirs.get(), STDOUT_FILENO);
    pair = {};
    report_pipe.writer = Fd{};
    std::string text;
    try {
        text = hear_report(report_pipe.reader, plan);
    } catch (const TimedOut&) {
        throw TimedOut("the TLS handshake with the client");
    }
    std::string_view said{text};
    if (said.starts_with(failed)) {
        said.remove_prefix(failed.size());
        throw Error(fmt::format("no TLS with the client: {}", said.substr(0, said.find('\n'))));
    }
    if (!said.starts_with(ready) || !said.ends_with("\n\n"))
        throw Error("no TLS with the client: it has disconnected");
    set_variables(said.substr(said.find('\n') + 1));
    report_pipe.reader = Fd{};
    execute(plan.program, plan.words);
}

} // namespace ipcbox::tls
