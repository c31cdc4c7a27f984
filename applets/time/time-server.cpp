// time-server - serve the time to other machines (RFC 868, RFC 867)
#include "applet.h"
#include "cli/json.h"
#include "cli/line_queue.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "clocks/daytime.h"
#include "clocks/host_list.h"
#include "clocks/time_service.h"
#include "core/privileges.h"
#include "front/announce.h"
#include "front/common_options.h"
#include "server/readiness.h"

#include <algorithm>
#include <fmt/core.h>
#include <set>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

using clocks::Protocol;
using clocks::TimeSocket;
using clocks::Transports;

constexpr std::uint16_t time_port = 37;
constexpr int max_rate = 1'000'000; // answers per second

// An operand: a port, a host, or both.
struct Where {
    std::string host;
    std::optional<std::uint16_t> port;
};

struct Config {
    std::vector<Where> where; // the addresses for RFC 868
    std::optional<std::uint16_t> port;
    std::optional<std::uint16_t> daytime_port;
    bool tcp = false;
    bool udp = false;
    clocks::TimeServiceConfig service;
    std::optional<int> rate;
    std::optional<cli::Owner> user;
    std::optional<int> notify_fd;
    bool json = false;
    cli::Verbosity verbosity;

    [[nodiscard]] Transports transports() const {
        return tcp == udp ? Transports::both : tcp ? Transports::tcp : Transports::udp;
    }
};

Where parse_where(std::string_view text) try {
    const auto written = net::HostPort::parse(text);
    return {written.host, written.port};
} catch (const std::invalid_argument& wrong) {
    // It may be a host alone, such as localhost.
    try {
        const auto host = clocks::parse_host(text);
        if (host.label.empty() && !host.port) return {host.name, std::nullopt};
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): WRONG says more
    }
    throw std::invalid_argument(wrong.what());
}

// "localhost 3737" would be port 37 of localhost, and port 3737 of all interfaces.
void refuse_host_then_port(const Where& first, const Where& second) {
    if (!second.host.empty() || !second.port) return;
    if (first.port)
        front::refuse_host_then_port(net::HostPort{first.host, *first.port}.text(),
                                     fmt::format("{}", *second.port));
    else
        throw cli::UsageError(fmt::format("for port {} of {}, write {}", *second.port, first.host,
                                          net::HostPort{first.host, *second.port}.text()));
}

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[[HOST:]PORT|HOST...]"};
    options.operands("[HOST:]PORT|HOST", config.where, parse_where,
                     "where to answer (default: port 37 of all interfaces)");
    options.value("-p,--port PORT", config.port, cli::parse_port,
                  "the port for each HOST without one, or for all interfaces");
    options.value("--daytime PORT", config.daytime_port, cli::parse_port,
                  "also serve the time as text, on this port of the same hosts");
    options.flag("--tcp", config.tcp, "answer over TCP only");
    options.flag("--udp", config.udp, "answer over UDP only");
    options.value("--offset SECONDS", config.service.offset, cli::parse_offset,
                  "for tests, serve a time that is wrong by this much: -3600, +0.5, -90m");
    options.value("--delay DURATION", config.service.delay, cli::parse_duration,
                  "wait this long before each answer");
    options.value("--rate N", config.rate, cli::number_between(0, max_rate),
                  "send at most N datagrams a second to one address (default 10; 0: no limit)");
    front::declare_user(options, config.user);
    front::declare_notify_fd(options, config.notify_fd);
    options.json(config.json);
    options.note("Port 0 means a free port, the same one for TCP and UDP.");
    options.example("time-server -u nobody --daytime 13", "serve both protocols, as inetd does");
    options.example("time-server --offset -90 localhost:3737", "simulate a slow clock, for a test");
    config.verbosity = options.parse();
    front::check_notify_fd(config.notify_fd, config.json);
    const auto has_port = [](const Where& where) { return where.port.has_value(); };
    if (config.port && std::ranges::any_of(config.where, has_port))
        throw cli::UsageError("expected --port PORT or HOST:PORT, not both");
    if (config.where.size() == 2) refuse_host_then_port(config.where[0], config.where[1]);
    if (config.where.empty()) config.where.emplace_back();
    if (config.rate && config.transports() == Transports::tcp)
        throw cli::UsageError("--rate and --tcp cannot be combined: the limit is for datagrams");
    constexpr int default_rate = 10;
    config.service.rate = static_cast<unsigned>(config.rate.value_or(default_rate));
    return config;
}

std::vector<TimeSocket> open_sockets(const Config& config) {
    auto sockets = clocks::inherited_time_sockets(config.daytime_port);
    if (!sockets.empty()) return sockets;
    const auto open = [&](const net::HostPort& where, Protocol protocol) {
        for (auto& socket : clocks::open_time_sockets(where, protocol, config.transports()))
            sockets.push_back(std::move(socket));
    };
    std::set<std::string> hosts;
    for (const auto& [host, port] : config.where) {
        open({host, port.value_or(config.port.value_or(time_port))}, Protocol::time);
        if (config.daytime_port && hosts.insert(host).second)
            open({host, *config.daytime_port}, Protocol::daytime);
    }
    return sockets;
}

// Threads of its own write the lines: a log that nobody reads must not stop the clock.
class Report {
  public:
    explicit Report(const Config& config) : log_(STDERR_FILENO) {
        if (config.json) json_.emplace(STDOUT_FILENO);
    }

    void log(const std::string& text) {
        log_.add(fmt::format("{}: {}\n", cli::program_name(), cli::visible_line(text)));
    }
    void print(const clocks::TimeAnswer& answer) {
        cli::JsonLine line;
        line.set("client", answer.client.text()).set("asked", answer.asked.text());
        line.set("protocol", name_of(answer.socket.protocol));
        line.set("transport", name_of(answer.socket.transport));
        json_->add(line.set("time", clocks::iso_time(answer.time)).text());
    }
    [[nodiscard]] bool failed() {
        if (json_) json_->flush();
        return json_ && json_->failed();
    }

  private:
    cli::LineQueue log_;
    std::optional<cli::LineQueue> json_;
};

// Connects the events of the service to REPORT.
void connect(clocks::TimeServiceConfig& service, Report& report, const Config& config) {
    service.trouble = [&report](const std::string& what) { report.log(what); };
    if (!config.json && !config.verbosity.verbose) return;
    service.answered = [&report, &config](const clocks::TimeAnswer& answer) {
        if (config.json) report.print(answer);
        if (config.verbosity.verbose)
            report.log(fmt::format("{} asked {} ({}, {})", answer.client.text(),
                                   answer.asked.text(), name_of(answer.socket.protocol),
                                   name_of(answer.socket.transport)));
    };
}

int run(const Invocation& invocation) {
    Config config = parse(invocation);
    // If the log cannot be written, the server must go on.
    const HarmlessWriteSignals harmless;
    SignalFd signals{SIGTERM, SIGINT, SIGHUP};
    const auto sockets = open_sockets(config);
    if (config.user && ::geteuid() != config.user->uid)
        become_user(config.user->uid, config.user->gid, config.user->name);
    Report report{config};
    connect(config.service, report, config);
    std::vector<std::string> texts;
    texts.reserve(sockets.size());
    for (const auto& socket : sockets)
        texts.push_back(socket.text());
    front::announce(texts, config.notify_fd, config.verbosity);
    const auto counts = clocks::serve_time(sockets, config.service, signals);
    server::notify_service_manager("STOPPING=1\n");
    if (config.verbosity.verbose)
        report.log(fmt::format("{} answered, {} refused", counts.answered, counts.refused));
    return report.failed() ? exit_status::failed : exit_status::done;
}

} // namespace

extern constexpr Applet time_server{"serve the time to other machines", run};

} // namespace ipcbox
