// A check for monitoring: a judgement of each host, and one verdict that gives the line, the object
// and the exit status, according to the guidelines for monitoring plug-ins. Nothing here prints.
#pragma once

#include "clocks/source.h"
#include "core/deadline.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

// The values are the exit statuses.
enum class CheckState { ok = 0, warning = 1, critical = 2, unknown = 3 };

// "OK", "WARNING", "CRITICAL", "UNKNOWN"
[[nodiscard]] std::string_view name_of(CheckState state);
// OK is better than WARNING, WARNING than UNKNOWN, and UNKNOWN than CRITICAL.
[[nodiscard]] CheckState worse(CheckState one, CheckState other);

struct CheckLimits {
    // A clock that is off by this much, or more.
    std::optional<Duration> warn = {};
    std::optional<Duration> critical = {};
    // An NTP server with a higher stratum.
    std::optional<int> stratum_warn = {};
    std::optional<int> stratum_critical = {};

    [[nodiscard]] bool any() const { return warn || critical || stratum_warn || stratum_critical; }
};

struct Judgement {
    CheckState state = CheckState::ok;
    std::string reason; // empty for OK
};

// The judgement of a check on one host. A host without a usable time is critical. A reading whose
// error is larger than the limit is a warning, because it does not show that the clock is right.
[[nodiscard]] Judgement judge(const clocks::Answer& answer, const CheckLimits& limits);

struct Verdict {
    CheckState state = CheckState::unknown;
    std::string text;                   // "1 of 2: beta -89.54 s +/-0.50 s"
    std::optional<std::size_t> hosts{}; // nothing when none could be asked
    std::size_t not_ok = 0;             // of them
    std::string performance_data{};

    [[nodiscard]] int status() const { return static_cast<int>(state); }
    // "TIMECHECK OK - 2 hosts in time | hosts=2 …", in one line whatever the text has in it.
    [[nodiscard]] std::string line(std::string_view program) const;
    // The same as an object of type "state".
    [[nodiscard]] std::string object() const;
};

// The verdict of a check that could not be made.
[[nodiscard]] Verdict unknown_verdict(std::string_view reason);

// Collects the judgements of one round.
class Check {
  public:
    explicit Check(const CheckLimits& limits) : limits_(limits) {}

    // NUMBER gives the order. NAME is the name of the host.
    Judgement add(std::size_t number, const std::string& name, const clocks::Answer& answer);
    // Hosts whose answer is not known, because the round was interrupted.
    void add_unheard(std::size_t count) { unheard_ = count; }
    // Lines of a list that name no host. FIRST says where the first such line is.
    void add_bad_lines(std::size_t count, std::string_view first);
    void add_disagreement() { has_majority_ = false; }

    [[nodiscard]] Verdict verdict() const;

  private:
    struct Entry {
        std::string name;
        Judgement judgement;
        std::optional<Duration> offset;
        std::optional<int> stratum;
    };
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::string performance_data() const;
    [[nodiscard]] std::size_t hosts() const { return entries_.size() + unheard_; }
    [[nodiscard]] std::size_t not_ok() const;

    CheckLimits limits_;
    std::map<std::size_t, Entry> entries_;
    std::size_t unheard_ = 0;
    std::size_t bad_lines_ = 0;
    std::string first_bad_line_;
    bool has_majority_ = true;
};

} // namespace ipcbox::front
