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

// The differences between these applets.
struct ClockKind {
    clocks::Source source = clocks::Source::time; // which is asked by default
    Duration patience = std::chrono::seconds{5};
    enum class PatienceFor { host, all } patience_for = PatienceFor::host;
    Duration interval{};           // between two datagrams
    std::size_t name_columns = 24; // at least, for the names in the table
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

    bool numeric = false;      // show addresses instead of names
    bool as_completed = false; // each row as soon as its answer comes
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

// Parses the line and reads the lists of hosts that it names. Reports bad lines of these on
// standard error. Throws as cli::Options::parse() does, and Error.
[[nodiscard]] ClockConfig parse_clock_options(const Invocation& invocation, const ClockKind& kind);

// Whether a command line asks for a check, and in which form its result is wanted. This also works
// for a line that is wrong otherwise, because a check has to report that in the same form. A line
// of a single word asks no host, so it is no check.
enum class CheckForm { none, line, object };
[[nodiscard]] CheckForm form_of_check(std::span<char* const> arguments);

} // namespace ipcbox::front
