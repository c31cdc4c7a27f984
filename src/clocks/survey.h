// Asks many hosts for the time at once, each by one source after the other until one answers, and
// reports the outcome of each. This is the loop of timecheck, udptime and daytime. An inquiry
// (clocks/inquiry.h) decides what to try next, and clocks/exchanges.h has the sockets; the turns
// and the timers are here.
#pragma once

#include "clocks/exchanges.h"
#include "clocks/host_list.h"
#include "clocks/inquiry.h"
#include "clocks/timers.h"
#include "core/deadline.h"
#include "core/signals.h"
#include "net/lookups.h"

#include <deque>
#include <memory>
#include <optional>
#include <vector>

namespace ipcbox::clocks {

class SurveyEvents {
  public:
    virtual ~SurveyEvents() = default;
    // Called once for each host, with its number, in the order in which the findings come.
    virtual void found(std::size_t number, Finding finding) = 0;
    // Nothing will happen for a while, so this is the time to show the findings.
    virtual void waiting() = 0;
};

class Survey {
  public:
    // Signals have to be blocked already. HOSTS and EVENTS have to outlive it. Raises the limit on
    // our descriptors as far as needed; if that is not allowed, fewer hosts are asked at once.
    Survey(const std::vector<Host>& hosts, const SurveyOptions& options, SurveyEvents& events);
    ~Survey();
    Survey(const Survey&) = delete;
    Survey& operator=(const Survey&) = delete;

    // Asks all hosts. Returns the signal of SIGNALS that interrupted it, or 0. Throws SysError when
    // no host can be asked at all.
    [[nodiscard]] int run(SignalFd& signals);

    // Hosts whose finding is known.
    [[nodiscard]] std::size_t finished() const noexcept { return finished_; }
    [[nodiscard]] const Ignored& ignored() const noexcept { return exchanges_.udp().ignored(); }

  private:
    struct Active; // a host that is being asked

    [[nodiscard]] int wait(SignalFd& signals);
    [[nodiscard]] Deadline next_event();
    [[nodiscard]] bool may_begin() const;
    [[nodiscard]] bool may_ask_after_shortage() const;
    void begin_some();
    void begin(std::size_t number);
    [[nodiscard]] Active* next_sender();
    void ask_next_datagrams();
    void ask_again_after_shortage();
    void take_lookups();
    void take_results();
    void fire_timers();

    void looked_up(Active& host, net::Lookups::Answer answer);
    void ask_in_turn(Active& host);
    void ask(Active& host);
    void connect(Active& host, const net::Address& address);
    void take(const Exchange& exchange);
    void timer_fired(Active& host);
    void try_timed_out(Active& host);
    void answered(Active& host, const Exchange& exchange);
    void go_on(Active& host, Inquiry::Next next);
    void finish(Active& host);

    [[nodiscard]] std::time_t pivot() const;

    const std::vector<Host>& hosts_;
    SurveyOptions options_;
    SurveyEvents& events_;
    bool uses_streams_;
    Deadline ends_ = Deadline::never();
    // By number; none for a host that has not begun or is finished.
    std::vector<std::unique_ptr<Active>> active_;
    std::size_t begun_ = 0;
    std::size_t finished_ = 0;
    Timers timers_;
    std::deque<std::size_t> datagrams_; // hosts that have one to send
    Deadline::Clock::time_point next_datagram_;
    std::deque<std::size_t> short_of_sockets_; // hosts that could not get one
    net::Lookups lookups_;
    Exchanges exchanges_;
    std::vector<Exchange> results_;
};

} // namespace ipcbox::clocks
