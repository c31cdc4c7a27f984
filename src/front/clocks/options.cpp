#include "front/clocks/options.h"

#include "cli/output.h"
#include "cli/values.h"
#include "clocks/daytime.h"
#include "core/error.h"
#include "core/input_file.h"
#include "front/clocks/rows.h"
#include "front/family_options.h"
#include "front/tls_options.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t max_list_bytes = 64UL * 1024 * 1024;
constexpr int max_at_once = 65536;
constexpr int default_at_once = 4096;
constexpr int max_retries = 100;
constexpr int max_stratum = 15;
constexpr std::uint64_t default_max_addresses = 65536;

// The values of the options as the user wrote them.
struct Line {
    std::vector<clocks::Host> hosts;
    std::vector<std::string> lists;
    std::vector<std::string> networks;
    std::uint64_t max_addresses = default_max_addresses;
    std::optional<Duration> patience;
    std::optional<std::uint16_t> port;
    std::optional<std::vector<clocks::SourcePort>> sources;
    int at_once = default_at_once;
    FamilyOptions family;
};

std::uint64_t parse_count(std::string_view text) {
    return static_cast<std::uint64_t>(cli::number_between(1, 1 << 30)(text));
}

// "2040" or "2040-06-01"
std::time_t parse_date(std::string_view text) {
    const bool is_year = text.find('-') == std::string_view::npos;
    const auto iso = fmt::format("{}{}T00:00:00Z", text, is_year ? "-01-01" : "");
    const auto date = clocks::parse_daytime(iso, std::time(nullptr));
    if (!date) throw std::invalid_argument("expected a year or a date such as 2040 or 2040-06-01");
    // The whole era around the date must be within the years that we accept from a clock.
    constexpr auto half_era = std::time_t{1} << 31U;
    if (!clocks::is_within_years(date->time - half_era) ||
        !clocks::is_within_years(date->time + half_era))
        throw std::invalid_argument("expected a date from 1969 to 2082-12-12");
    return date->time;
}

// Removes a range that is written as for fping(8): "-g FIRST LAST". LAST looks like a host here.
std::string take_range(Line& line) {
    auto& network = line.networks.front();
    const bool is_range = line.networks.size() == 1 && line.hosts.size() == 1 &&
                          net::Address::parse_ip(network, 0) &&
                          net::Address::parse_ip(line.hosts.front().text, 0);
    if (!is_range) return network;
    auto range = fmt::format("{}-{}", network, line.hosts.front().text);
    line.hosts.clear();
    return range;
}

// Hosts come from the arguments first, then from lists, then from networks.
void find_hosts(Line& line, ClockConfig& config) {
    if (!line.networks.empty()) line.networks.front() = take_range(line);
    config.hosts = std::move(line.hosts);
    const auto add = [&config](std::vector<clocks::Host> hosts) {
        std::ranges::move(hosts, std::back_inserter(config.hosts));
    };
    for (const auto& name : line.lists)
        add(clocks::parse_host_list(read_input(name, max_list_bytes),
                                    [&](const std::string& where, const std::string& reason) {
                                        const auto place =
                                            fmt::format("{}, {}", input_name(name), where);
                                        if (config.bad_lines.count++ == 0)
                                            config.bad_lines.first = place;
                                        cli::diagnose(fmt::format("{}: {}", place, reason));
                                    }));
    if (line.networks.empty() && line.max_addresses != default_max_addresses)
        throw cli::UsageError("--max needs --network");
    for (const auto& network : line.networks)
        try {
            add(clocks::hosts_of_network(network, line.max_addresses));
        } catch (const std::invalid_argument& wrong) {
            throw cli::UsageError(fmt::format("--network '{}': {}", network, wrong.what()));
        }
    if (!config.hosts.empty()) return;
    if (line.lists.empty()) throw cli::UsageError("expected a HOST, or a list of them (--file)");
    throw Error("there is no host in the list");
}

void settle_survey(const Line& line, const ClockKind& kind, ClockConfig& config) {
    auto& survey = config.survey;
    survey.sources =
        line.sources.value_or(std::vector<clocks::SourcePort>{{kind.source, std::nullopt}});
    for (auto& source : survey.sources)
        if (!source.port) source.port = line.port;
    survey.family = family_of(line.family);
    survey.patience = line.patience.value_or(kind.patience);
    survey.at_once = static_cast<std::size_t>(line.at_once);
    // Finding a tick needs many questions, at times that we choose ourselves.
    if (kind.patience_for == ClockKind::PatienceFor::all && !survey.precise)
        survey.total = survey.patience;
}

void check_limits(const CheckLimits& limits, const clocks::SurveyOptions& survey) {
    const auto& [warn, critical, stratum_warn, stratum_critical] = limits;
    if (warn && critical && *warn > *critical) throw cli::UsageError("--warn is more than --crit");
    if (stratum_warn && stratum_critical && *stratum_warn > *stratum_critical)
        throw cli::UsageError("--stratum-warn is more than --stratum-crit");
    if ((stratum_warn || stratum_critical) && !survey.asks(clocks::Source::ntp))
        throw cli::UsageError("--stratum-warn and --stratum-crit need --via ntp");
}

void check(const ClockConfig& config) {
    if (config.watch && *config.watch == Duration::zero())
        throw cli::UsageError("--watch needs a duration above 0");
    if (config.rounds && !config.watch) throw cli::UsageError("--count needs --watch");
    check_limits(config.limits, config.survey);
    if (says_something(config.survey.tls) && !config.survey.asks(clocks::Source::https))
        throw cli::UsageError("the options for TLS need --via https");
}

void declare_hosts(cli::Options& options, Line& line) {
    options.section("Hosts");
    options.values("-f,--file FILE", line.lists, cli::parse_file,
                   "also ask the hosts of this list, one on each line; - is standard input");
    options.values("-g,--network NETWORK", line.networks, cli::parse_text,
                   "also ask every address of a network or a range, such as 192.0.2.0/24 or "
                   "192.0.2.1-192.0.2.20");
    options.value("--max N", line.max_addresses, parse_count,
                  "refuse a network or a range with more than N addresses (default 65536)");
    declare(options, line.family);
}

void declare_sources(cli::Options& options, Line& line, clocks::SurveyOptions& survey) {
    options.section("Sources");
    options.value("--via SOURCES", line.sources, clocks::parse_sources,
                  "ask these, one after the other, until one answers: ntp, http, https, time, "
                  "time-udp, daytime, "
                  "daytime-udp; each can have a port, as in ntp,http:8080");
    options.value("-p,--port PORT", line.port, cli::parse_port,
                  "ask this port instead of the default port of the source");
    options.flag(
        "--precise", survey.precise,
        "if a clock gives only whole seconds, ask up to 16 times to find out when a second begins");
    options.value("--era-pivot DATE", survey.pivot, parse_date,
                  "for a 32-bit time, assume the time nearest to this date (default: now)");
}

void declare_time(cli::Options& options, Line& line, clocks::SurveyOptions& survey,
                  const ClockKind& kind) {
    options.section("Time");
    const bool for_all = kind.patience_for == ClockKind::PatienceFor::all;
    options.value("-t,--timeout DURATION", line.patience, cli::parse_duration,
                  for_all ? "give up on all hosts after this time (default 10s)"
                          : "give up on a host after this time (default 5s)");
    options.value("-T,--try-timeout DURATION", survey.try_patience, cli::parse_duration,
                  "give up on one attempt after this time (default: an equal share)");
    options.value("-r,--retries N", survey.retries, cli::number_between(0, max_retries),
                  "if no answer comes, send the datagram again, at most N times (default 2)");
    options.value("-i,--interval DURATION", survey.interval, cli::parse_duration,
                  kind.interval == Duration::zero()
                      ? "wait this long between two datagrams (default 0)"
                      : "wait this long between two datagrams (default 100us)");
    options.value("-P,--parallel N", line.at_once, cli::number_between(1, max_at_once),
                  "ask at most N hosts at once over TCP (default 4096; 64 for https)");
}

void declare_output(cli::Options& options, ClockConfig& config) {
    options.section("Output");
    options.flag("-n,--numeric", config.numeric, "show addresses instead of names");
    options.flag("--as-completed", config.as_completed,
                 "print each row as soon as its answer comes");
    options.flag("--consensus", config.consensus, "print which clocks agree and which do not");
    options.flag("--summary", config.summary,
                 "print the least, the median and the greatest offset");
    options.value("--watch DURATION", config.watch, cli::parse_duration,
                  "ask again at this interval, and print the drift");
    options.value("--count N", config.rounds, cli::number_between(1, 1 << 30),
                  "end --watch after N rounds");
    options.json(config.json);
}

void declare_monitoring(cli::Options& options, CheckLimits& limits) {
    options.section("Monitoring");
    options.value("--warn DURATION", limits.warn, cli::parse_duration,
                  "print one line: WARNING (status 1) if a clock is off by this much");
    options.value("--crit DURATION", limits.critical, cli::parse_duration,
                  "print one line: CRITICAL (status 2) if a clock is off by this much");
    options.value("--stratum-warn N", limits.stratum_warn, cli::number_between(0, max_stratum),
                  "WARNING if an NTP server has a stratum above N");
    options.value("--stratum-crit N", limits.stratum_critical, cli::number_between(0, max_stratum),
                  "CRITICAL if an NTP server has a stratum above N");
}

} // namespace

ClockConfig parse_clock_options(const Invocation& invocation, const ClockKind& kind) {
    ClockConfig config;
    Line line;
    auto& survey = config.survey;
    survey.interval = kind.interval;
    cli::Options options{invocation, "HOST..."};
    options.operands("HOST", line.hosts, clocks::parse_host,
                     "a name or an address, HOST:PORT, or LABEL=HOST, which shows it as LABEL");
    declare_hosts(options, line);
    declare_sources(options, line, survey);
    declare_time(options, line, survey, kind);
    declare_output(options, config);
    declare_monitoring(options, config.limits);
    options.section("TLS");
    declare(options, survey.tls);
    options.note("An offset is how far the other clock is ahead of the local one, in seconds; it "
                 "is negative if the other clock is behind. If a host does not answer, its row has "
                 "the reason, and the status is 1. Today, few machines answer on the ports of time "
                 "and daytime: use --via ntp,https,http.");
    options.example(kind.example, kind.example_text);
    const auto fleet = fmt::format("{} --via ntp,https,http -f fleet --summary", invocation.name);
    options.example(fleet, "ask many hosts, using any protocol that each host speaks");
    const auto check_one =
        fmt::format("{} --via ntp --warn 100ms --crit 1s db.example.com", invocation.name);
    options.example(check_one, "check a clock for Nagios, Icinga and similar systems");
    config.verbosity = options.parse();
    settle_survey(line, kind, config);
    check(config);
    find_hosts(line, config);
    config.name_columns =
        name_columns_for(config.hosts, config.numeric ? HostNames::numeric : HostNames::written,
                         survey.family, kind.name_columns);
    config.detailed = line.sources || survey.precise || config.watch || config.verbosity.verbose;
    return config;
}

CheckForm form_of_check(std::span<char* const> arguments) {
    constexpr std::array<std::string_view, 4> limits{"--warn", "--crit", "--stratum-warn",
                                                     "--stratum-crit"};
    constexpr std::string_view letters_with_value = "fgtTriPp";
    bool is_check = false;
    bool is_json = false;
    for (const std::string_view word : arguments) {
        if (word == "--") break;
        const auto name = word.substr(0, word.find('='));
        is_check = is_check || std::ranges::find(limits, name) != limits.end();
        is_json = is_json || word == "--json";
        if (word.starts_with("--") || !word.starts_with('-')) continue;
        const auto letters = word.substr(0, word.find_first_of(letters_with_value));
        is_json = is_json || letters.find('J') != std::string_view::npos;
    }
    if (arguments.size() < 2) return CheckForm::none;
    return !is_check ? CheckForm::none : is_json ? CheckForm::object : CheckForm::line;
}

} // namespace ipcbox::front
