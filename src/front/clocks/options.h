// The command line of the applets that ask clocks: one set of options for TCP and UDP.
#pragma once

#include "applet.h"
#include "cli/options.h"
#include "clocks/survey.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

// What makes one of these applets another one.
struct ClockKind {
    clocks::Source source = clocks::Source::time; // which is asked by default
    Duration patience = std::chrono::seconds{5};
    enum class PatienceFor { host, all } patience_for = PatienceFor::host;
    Duration interval{};           // between two datagrams
    std::size_t name_columns = 24; // of the table
    std::string_view example;
    std::string_view example_text;
};

struct ClockConfig {
    std::vector<clocks::Host> hosts;
    bool has_bad_line = false; // in a list of hosts
    clocks::SurveyOptions survey;
    std::size_t name_columns = 24;

    bool numeric = false;      // hosts go by their addresses
    bool as_completed = false; // rows in the order in which they come
    bool detailed = false;     // rows with error and source
    bool json = false;
    // Monitoring, if there is one of them.
    std::optional<Duration> warn;
    std::optional<Duration> critical;
    bool consensus = false;
    bool summary = false;
    std::optional<Duration> watch; // from one round to the next
    std::optional<int> rounds;
    cli::Verbosity verbosity;

    [[nodiscard]] bool monitors() const { return warn || critical; }
};

// Parses the line and reads the lists of hosts that it names; bad lines of these are told on
// standard error. Throws as cli::Options::parse() does, and Error.
[[nodiscard]] ClockConfig parse_clock_options(const Invocation& invocation, const ClockKind& kind);

} // namespace ipcbox::front
