// daytime - print what the daytime servers of other machines say
#include "clocks/daytime.h"
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "clocks/survey.h"
#include "front/clocks/rows.h"
#include "front/family_options.h"

#include <algorithm>
#include <csignal>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    std::vector<clocks::Host> hosts;
    clocks::SurveyOptions survey;
    bool raw = false;
    bool json = false;
    std::size_t name_columns = 24; // unless a name needs more
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    clocks::SourcePort source{clocks::Source::daytime, std::nullopt};
    bool datagram = false;
    front::FamilyOptions family;
    cli::Options options{invocation, "[HOST...]"};
    options.operands("HOST", config.hosts, clocks::parse_host,
                     "a name or an address, or HOST:PORT (default localhost)");
    options.flag("-u,--udp", datagram, "ask over UDP instead of TCP");
    options.value("-p,--port PORT", source.port, cli::parse_port,
                  "ask this port, a number or the name of a service (default 13)");
    options.value("-t,--timeout DURATION", config.survey.patience, cli::parse_duration,
                  "give up on a host after this time (default 5s)");
    front::declare(options, family);
    options.flag("--raw", config.raw, "print control characters unchanged, even on a terminal");
    options.json(config.json);
    options.note("daytime asks several hosts at the same time, and prints the name of the host "
                 "before each answer. With --json, it also prints the time in the form of ISO "
                 "8601, and how far the clock is off.");
    options.example("daytime", "ask the server of this machine");
    options.example("daytime -J alpha beta", "compare two clocks with the local one");
    config.verbosity = options.parse();
    if (datagram) source.source = clocks::Source::daytime_udp;
    config.survey.family = front::family_of(family);
    config.survey.sources = {source};
    if (config.hosts.empty()) config.hosts.push_back(clocks::parse_host("localhost"));
    config.name_columns = front::name_columns_for(config.hosts, front::HostNames::written,
                                                  config.survey.family, config.name_columns);
    return config;
}

// TEXT with all lines except the first indented, so that none looks like the answer of another
// host.
std::string indented(std::string_view text, std::size_t name_columns) {
    std::string result;
    for (const char byte : text) {
        result += byte;
        if (byte == '\n') result.append(name_columns + 1, ' ');
    }
    return result;
}

// Prints the answers in the order of the hosts.
class Answers : public clocks::SurveyEvents {
  public:
    explicit Answers(const Config& config) : config_(config), findings_(config.hosts.size()) {}

    void found(std::size_t number, clocks::Finding finding) override {
        findings_[number] = std::move(finding);
        while (next_ < findings_.size() && findings_[next_]) {
            tell(config_.hosts[next_], *findings_[next_]);
            ++next_;
        }
    }
    void waiting() override { cli::flush(); }
    // Prints the answers that waited for those of other hosts. No more answers will come.
    void end() {
        for (; next_ < findings_.size(); ++next_)
            if (findings_[next_]) tell(config_.hosts[next_], *findings_[next_]);
        cli::flush();
    }

    [[nodiscard]] bool has_failed() const { return has_failed_; }

  private:
    void tell(const clocks::Host& host, const clocks::Finding& finding) {
        const auto& answer = finding.answer;
        // Any text is an answer. Only JSON needs one that we understand.
        const bool is_answer = config_.json ? answer.reading.has_value() : !answer.text.empty();
        has_failed_ = has_failed_ || !is_answer;
        if (config_.json) return tell_json(host, finding);
        if (!is_answer) return cli::diagnose(fmt::format("{}: {}", host.called(), answer.problem));
        const bool is_for_eyes = cli::is_terminal(STDOUT_FILENO) && !config_.raw;
        const auto text = is_for_eyes ? cli::visible(answer.text) : answer.text;
        if (config_.hosts.size() == 1) return cli::print_line("{}", text);
        cli::print_line("{:<{}} {}", host.called(), config_.name_columns,
                        indented(text, config_.name_columns));
    }

    static void tell_json(const clocks::Host& host, const clocks::Finding& finding) {
        const auto& [answer, source, address] = finding;
        cli::JsonLine line;
        line.set("host", host.text);
        if (!host.label.empty()) line.set("label", host.label);
        if (address.family() != AF_UNSPEC)
            line.set("address", address.host()).set("port", address.port());
        if (!answer.text.empty()) line.set("text", answer.text);
        if (const auto& reading = answer.reading) {
            const auto said = std::chrono::system_clock::to_time_t(reading->said);
            line.set("time", clocks::iso_time(said))
                .set("offset", in_seconds(reading->offset))
                .set("uncertainty", in_seconds(reading->error))
                .set_flag("states_zone", answer.daytime->states_zone);
            if (answer.daytime->health) line.set("health", *answer.daytime->health);
            line.set("remarks", front::remarks_of(answer)).set_null("error");
        } else {
            line.set("error", answer.problem);
        }
        line.print();
    }

    const Config& config_;
    std::vector<std::optional<clocks::Finding>> findings_;
    std::size_t next_ = 0;
    bool has_failed_ = false;
};

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    Answers answers{config};
    int signal = 0;
    {
        SignalFd signals{SIGINT, SIGTERM, SIGHUP};
        clocks::Survey survey{config.hosts, config.survey, answers};
        signal = survey.run(signals);
        answers.end();
    }
    if (signal != 0) die_of(signal);
    return answers.has_failed() ? exit_status::failed : exit_status::done;
}

} // namespace

extern constexpr Applet daytime{"print the answers of daytime servers", run};

} // namespace ipcbox
