#include "front/clocks/options.h"

#include "cli/output.h"
#include "cli/values.h"
#include "clocks/daytime.h"
#include "core/error.h"
#include "core/io.h"
#include "front/family_options.h"

#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t most_list_bytes = 64UL * 1024 * 1024;
constexpr int most_at_once = 65536;
constexpr int default_at_once = 4096;
constexpr int most_retries = 100;
constexpr std::uint64_t default_most_addresses = 65536;

// What the options say before they are put together.
struct Line {
    std::vector<clocks::Host> hosts;
    std::vector<std::string> lists;
    std::vector<std::string> networks;
    std::uint64_t most_addresses = default_most_addresses;
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
    // So that all of the era around it are years in which a clock is believed.
    constexpr auto half_era = std::time_t{1} << 31U;
    if (!clocks::is_within_years(date->time - half_era) ||
        !clocks::is_within_years(date->time + half_era))
        throw std::invalid_argument("expected a date from 1969 to 2082");
    return date->time;
}

std::string read_list(const std::string& name) {
    if (name == "-") return read_to_end(STDIN_FILENO, most_list_bytes, "standard input");
    return read_to_end(open_file(name, O_RDONLY).get(), most_list_bytes, name);
}

// Arguments first, then lists, then networks.
void find_hosts(Line& line, ClockConfig& config) {
    config.hosts = std::move(line.hosts);
    const auto add = [&config](std::vector<clocks::Host> hosts) {
        std::ranges::move(hosts, std::back_inserter(config.hosts));
    };
    for (const auto& name : line.lists)
        add(clocks::parse_host_list(read_list(name), [&](const std::string& problem) {
            config.has_bad_line = true;
            cli::diagnose(fmt::format("{}, {}", name == "-" ? "standard input" : name, problem));
        }));
    for (const auto& network : line.networks)
        try {
            add(clocks::hosts_of_network(network, line.most_addresses));
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
    // A tick takes many questions, and the time between them is of our own choice.
    if (kind.patience_for == ClockKind::PatienceFor::all && !survey.precise)
        survey.total = survey.patience;
}

void check(const ClockConfig& config) {
    if (config.watch && *config.watch == Duration::zero())
        throw cli::UsageError("--watch needs a time to rest");
    if (config.rounds && !config.watch) throw cli::UsageError("--count needs --watch");
    if (config.warn && config.critical && *config.warn > *config.critical)
        throw cli::UsageError("--warn is more than --crit");
}

} // namespace

ClockConfig parse_clock_options(const Invocation& invocation, const ClockKind& kind) {
    ClockConfig config;
    Line line;
    auto& survey = config.survey;
    survey.interval = kind.interval;
    const bool for_all = kind.patience_for == ClockKind::PatienceFor::all;
    cli::Options options{invocation, "HOST..."};
    options.operands("HOST", line.hosts, clocks::parse_host, "a name or an address, or HOST:PORT");
    options.values("-f,--file FILE", line.lists, cli::parse_text,
                   "ask the hosts of this list, one on a line; - is standard input");
    options.values("-g,--network CIDR", line.networks, cli::parse_text,
                   "ask every address of a network, such as 192.0.2.0/24");
    options.value("--max N", line.most_addresses, parse_count,
                  "the most addresses that a network may have (default 65536)");
    options.value("-t,--timeout DURATION", line.patience, cli::parse_duration,
                  for_all ? "for all of it (default 10s)" : "for each host (default 5s)");
    options.value("-T,--try-timeout DURATION", survey.try_patience, cli::parse_duration,
                  "for one try (default: what is left, in equal parts)");
    options.value("-r,--retries N", survey.retries, cli::number_between(0, most_retries),
                  "how often a datagram is sent again (default 2)");
    options.value("-i,--interval DURATION", survey.interval, cli::parse_duration,
                  kind.interval == Duration::zero() ? "between two datagrams (default 0)"
                                                    : "between two datagrams (default 100us)");
    options.value("-P,--parallel N", line.at_once, cli::number_between(1, most_at_once),
                  "how many are asked at once over TCP (default 4096)");
    options.value("-p,--port PORT", line.port, cli::parse_port,
                  "instead of the port of the protocol");
    declare(options, line.family);
    options.value("--via SOURCES", line.sources, clocks::parse_sources,
                  "what to ask, in turn until one answers: time, time-udp, ntp, daytime, "
                  "daytime-udp, http; each also with a port, as in http:8080");
    options.value("--era-pivot DATE", survey.pivot, parse_date,
                  "believe 32-bit times to be near this date (default: near our clock)");
    options.flag("--precise", survey.precise,
                 "find the tick of clocks that tell whole seconds, by asking up to 16 times");
    options.flag("-n,--numeric", config.numeric, "call hosts by their addresses");
    options.flag("--as-completed", config.as_completed, "rows in the order of the answers");
    options.value("--warn DURATION", config.warn, cli::parse_duration,
                  "for monitoring: one line, and status 1 for a clock that is off by so much");
    options.value("--crit DURATION", config.critical, cli::parse_duration,
                  "the same, and status 2");
    options.flag("--consensus", config.consensus, "tell which clocks agree, and which do not");
    options.flag("--summary", config.summary, "tell the least, the median and the greatest offset");
    options.value("--watch DURATION", config.watch, cli::parse_duration,
                  "ask again and again after so long, and tell the drift");
    options.value("--count N", config.rounds, cli::number_between(1, 1 << 30),
                  "end a watch after so many rounds");
    options.json(config.json);
    options.note("The offset is theirs minus ours, in seconds. A host that cannot be asked has a "
                 "row with the reason, and makes the status 1 (2 with --crit or --warn).");
    options.example(kind.example, kind.example_text);
    const auto fleet = fmt::format("{} --via ntp,time,http -f fleet --summary", invocation.name);
    options.example(fleet, "many hosts, whatever they speak");
    const auto check_one = fmt::format("{} --warn 1s --crit 5s db", invocation.name);
    options.example(check_one, "a check for Nagios and the like");
    config.verbosity = options.parse();
    check(config);
    settle_survey(line, kind, config);
    find_hosts(line, config);
    config.name_columns = kind.name_columns;
    config.detailed = line.sources || survey.precise || config.watch || config.verbosity.verbose;
    return config;
}

} // namespace ipcbox::front
