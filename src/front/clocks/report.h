// What timecheck and udptime tell: a row or an object for each host, and what all of them together
// say.
#pragma once

#include "cli/json.h"
#include "clocks/agreement.h"
#include "clocks/statistics.h"
#include "clocks/survey.h"
#include "front/clocks/options.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ipcbox::front {

class ClockReport : public clocks::SurveyEvents {
  public:
    explicit ClockReport(const ClockConfig& config);

    // A round begins; a watch has many.
    void begin_round();
    void found(std::size_t number, clocks::Finding finding) override;
    void waiting() override;
    // No more will be known of this round. IGNORED are its datagrams that answered nothing.
    void end_round(const clocks::Ignored& ignored);

    // The worst of all rounds.
    [[nodiscard]] int status() const { return status_; }

  private:
    enum class State { ok, warning, critical };

    [[nodiscard]] State state_of(const clocks::Answer& answer) const;
    [[nodiscard]] bool has_failed(const clocks::Answer& answer) const;
    [[nodiscard]] std::string name_of(std::size_t number, const net::Address& address) const;
    [[nodiscard]] std::string row(std::size_t number, const clocks::Finding& finding) const;
    [[nodiscard]] std::string detailed_row(std::string_view name,
                                           const clocks::Finding& finding) const;
    [[nodiscard]] std::string object(std::size_t number, const clocks::Finding& finding,
                                     State state) const;
    void tell(std::size_t number, std::string row);
    void tell_held_rows();
    [[nodiscard]] std::size_t unknown() const;
    void tell_ignored(const clocks::Ignored& ignored) const;
    void find_consensus();
    void tell_consensus() const;
    void tell_summary() const;
    void tell_state();
    [[nodiscard]] std::string performance_data() const;

    const ClockConfig& config_;
    int status_ = 0;
    std::vector<clocks::Drift> drifts_; // by number, with --watch

    // Of this round.
    std::map<std::size_t, std::string> held_; // rows that wait for those before them
    std::size_t next_row_ = 0;
    std::size_t found_ = 0;       // hosts
    std::size_t failures_ = 0;    // of them
    clocks::Agreement agreement_; // with --consensus
    std::vector<std::pair<std::size_t, clocks::Reading>> readings_;
    std::map<std::size_t, std::string> troubles_; // what is not ok, and why
    State worst_ = State::ok;
};

} // namespace ipcbox::front
