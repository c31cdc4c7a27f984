// The command line of the applets that ask clocks: one set of options for TCP and UDP.
#pragma once

#include "applet.h"
#include "cli/options.h"
#include "clocks/survey.h"
#include "front/clocks/check.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

// What makes one of these applets differ from the other.
struct ClockKind {
    clocks::Source source = clocks::Source::time; // which is asked by default
    Duration patience = std::chrono::seconds{5};
    enum class PatienceFor { host, all } patience_for = PatienceFor::host;
    Duration interval{};           // between two datagrams
    std::size_t name_columns = 24; // of the table, when no name needs more
    std::string_view example;
    std::string_view example_text;
};

// Lines in lists of hosts that name no host.
struct BadLines {
    std::size_t count = 0;
    std::string first; // "fleet, line 7"
};

struct ClockConfig {
    std::vector<clocks::Host> hosts;
    BadLines bad_lines;
    clocks::SurveyOptions survey;
    std::size_t name_columns = 24;

    bool numeric = false;      // hosts go by their addresses
    bool as_completed = false; // rows in the order in which they come
    bool detailed = false;     // rows with error and source
    bool json = false;
    CheckLimits limits;
    bool consensus = false;
    bool summary = false;
    std::optional<Duration> watch; // from one round to the next
    std::optional<int> rounds;
    cli::Verbosity verbosity;

    // Whether this is a check for monitoring.
    [[nodiscard]] bool monitors() const { return limits.any(); }
};

// Parses the line and reads the lists of hosts that it names; prints bad lines of these on standard
// error. Throws as cli::Options::parse() does, and Error.
[[nodiscard]] ClockConfig parse_clock_options(const Invocation& invocation, const ClockKind& kind);

// Whether a command line asks for a check, and in which form its result is wanted. The line may be
// wrong otherwise: a check has to say so in that form. A line of one word asks no host, so that it
// is no check.
enum class CheckForm { none, line, object };
[[nodiscard]] CheckForm form_of_check(std::span<char* const> arguments);

} // namespace ipcbox::front
