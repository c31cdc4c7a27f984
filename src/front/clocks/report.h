// Prints the results of timecheck and udptime: a row or an object for each host, in order, and then
// the results for all hosts together.
#pragma once

#include "clocks/statistics.h"
#include "clocks/survey.h"
#include "front/clocks/check.h"
#include "front/clocks/options.h"
#include "front/clocks/rows.h"
#include "front/clocks/totals.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

class ClockReport : public clocks::SurveyEvents {
  public:
    explicit ClockReport(const ClockConfig& config);

    // A round begins; a watch has many.
    void begin_round();
    void found(std::size_t number, clocks::Finding finding) override;
    void waiting() override;
    // The round is over. IGNORED counts its datagrams that answered nothing.
    void end_round(const clocks::Ignored& ignored);

    // The exit status of the worst round.
    [[nodiscard]] int status() const;

  private:
    [[nodiscard]] std::string name_of(std::size_t number, const net::Address& address) const;
    [[nodiscard]] std::string object(std::size_t number, const clocks::Finding& finding,
                                     const Judgement& judgement) const;
    [[nodiscard]] std::optional<double> drift_of(std::size_t number) const;
    void print_in_order(std::size_t number, std::string row);
    void print_held_rows();
    void print_consensus();
    void print_summary() const;
    void print_verdict(std::size_t unheard);
    void tell_ignored(const clocks::Ignored& ignored) const;

    const ClockConfig& config_;
    RowForm form_;
    std::vector<clocks::Drift> drifts_; // by number, with --watch
    bool has_failures_ = false;
    CheckState worst_ = CheckState::ok;

    // Of this round.
    std::map<std::size_t, std::string> held_; // rows that wait for those before them
    std::size_t next_row_ = 0;
    std::size_t found_ = 0; // hosts
    std::vector<HostReading> readings_;
    clocks::Agreement agreement_; // with --consensus
    Check check_;
};

} // namespace ipcbox::front
