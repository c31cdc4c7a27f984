// time-server - tell the time to whoever asks (RFC 868, RFC 867)
#include "applet.h"
#include "cli/json.h"
#include "cli/line_queue.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "clocks/daytime.h"
#include "clocks/time_service.h"
#include "core/privileges.h"
#include "front/announce.h"
#include "server/readiness.h"

#include <limits>
#include <set>
#include <unistd.h>

namespace ipcbox {
namespace {

using clocks::Protocol;
using clocks::TimeSocket;
using clocks::Transports;

constexpr int most_a_second = 1'000'000;

struct Config {
    std::vector<net::HostPort> places; // of RFC 868
    std::optional<std::uint16_t> port;
    std::optional<std::uint16_t> daytime_port;
    bool tcp = false;
    bool udp = false;
    clocks::TimeServiceConfig service;
    int rate = 10;
    std::optional<cli::Owner> user;
    std::optional<int> notify_fd;
    bool json = false;
    cli::Verbosity verbosity;

    [[nodiscard]] Transports transports() const {
        return tcp == udp ? Transports::both : tcp ? Transports::tcp : Transports::udp;
    }
};

Config parse(const Invocation& invocation) {
    constexpr std::uint16_t time_port = 37;
    Config config;
    cli::Options options{invocation, "[[HOST:]PORT...]"};
    options.operands("[HOST:]PORT", config.places, net::HostPort::parse,
                     "where to answer (default 37, on all interfaces)");
    options.value("-p,--port PORT", config.port, cli::parse_port,
                  "the same as PORT: on all interfaces");
    options.value("--daytime PORT", config.daytime_port, cli::parse_port,
                  "tell the time in words, too, on this port of the same hosts");
    options.flag("--tcp", config.tcp, "answer over TCP only");
    options.flag("--udp", config.udp, "answer over UDP only");
    options.value("--offset SECONDS", config.service.offset, cli::parse_offset,
                  "be so wrong: -3600, +0.5, -90m");
    options.value("--delay DURATION", config.service.delay, cli::parse_duration, "answer so late");
    options.value("--rate N", config.rate, cli::number_between(0, most_a_second),
                  "answer an address no more datagrams a second (default 10; 0: any number)");
    options.value("-u,--user USER[:GROUP]", config.user, cli::parse_owner,
                  "become this user once we listen");
    options.value("--notify-fd FD", config.notify_fd,
                  cli::number_between(1, std::numeric_limits<int>::max()),
                  "say there, not on standard error, that we listen");
    options.json(config.json);
    options.note("Port 0 is one that is free, the same for TCP and UDP.");
    options.example("time-server -u nobody --daytime 13", "what inetd had built in");
    options.example("time-server --offset -90 localhost:3737", "a clock that is slow, for a test");
    config.verbosity = options.parse();
    if (config.port && !config.places.empty())
        throw cli::UsageError("expected --port PORT or [HOST:]PORT, not both");
    if (config.places.empty()) config.places.push_back({{}, config.port.value_or(time_port)});
    config.service.rate = static_cast<unsigned>(config.rate);
    return config;
}

std::vector<TimeSocket> open_places(const Config& config) {
    auto places = clocks::inherited_time_sockets(config.daytime_port);
    if (!places.empty()) return places;
    const auto open = [&](const net::HostPort& where, Protocol protocol) {
        for (auto& place : clocks::open_time_sockets(where, protocol, config.transports()))
            places.push_back(std::move(place));
    };
    std::set<std::string> hosts;
    for (const auto& where : config.places) {
        open(where, Protocol::time);
        if (config.daytime_port && hosts.insert(where.host).second)
            open({where.host, *config.daytime_port}, Protocol::daytime);
    }
    return places;
}

// Written by threads of their own: a log that nobody reads does not stop the clock.
class Report {
  public:
    explicit Report(const Config& config) : log_(STDERR_FILENO) {
        if (config.json) json_.emplace(STDOUT_FILENO);
    }

    void log(const std::string& text) {
        log_.add(fmt::format("{}: {}\n", cli::program_name(), text));
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

// What the service has to tell goes to REPORT.
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
    // A reader of our log who goes away is no reason to end.
    const BlockedSignals unharmed{signal_set({SIGPIPE})};
    SignalFd signals{SIGTERM, SIGINT, SIGHUP};
    const auto places = open_places(config);
    if (config.user && ::geteuid() != config.user->uid)
        become_user(config.user->uid, config.user->gid, config.user->name);
    Report report{config};
    connect(config.service, report, config);
    std::vector<std::string> texts;
    texts.reserve(places.size());
    for (const auto& place : places)
        texts.push_back(place.text());
    front::announce(texts, config.notify_fd, config.verbosity);
    const auto counts = clocks::serve_time(places, config.service, signals);
    server::notify_service_manager("STOPPING=1\n");
    if (config.verbosity.verbose)
        report.log(fmt::format("{} answered, {} refused", counts.answered, counts.refused));
    return report.failed() ? exit_status::failed : exit_status::done;
}

} // namespace

extern constexpr Applet time_server{"tell the time to whoever asks", run};

} // namespace ipcbox
