// Asks many hosts for the time at once, each from one source after the other until one answers, and
// tells what came of each: the loop of timecheck, udptime and daytime.
#pragma once

#include "clocks/host_list.h"
#include "clocks/source.h"
#include "clocks/tcp_exchanges.h"
#include "clocks/udp_exchanges.h"
#include "core/deadline.h"
#include "core/random.h"
#include "core/signals.h"
#include "net/lookups.h"

#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

namespace ipcbox::clocks {

struct SurveyOptions {
    std::vector<SourcePort> sources; // for each host, in turn; at least one
    net::Family family = net::Family::any;
    // For a host and all its addresses and sources. What is left of it is shared out evenly among
    // what is left to try, unless try_patience says how long one try may take.
    Duration patience = std::chrono::seconds{5};
    std::optional<Duration> try_patience;
    Duration total = Duration::max(); // for all hosts
    int retries = 2;                  // of a datagram
    Duration interval{};              // between two datagrams
    std::size_t at_once = 4096;       // hosts, over TCP; fewer when there are too few descriptors
    bool precise = false;             // ask a clock of whole seconds until its tick is found
    std::optional<std::time_t> pivot; // of eras; our clock when there is none
};

// What came of a host.
struct Finding {
    Answer
        answer; // with the reading; or the problem of each source: "time: refused, ntp: timed out"
    Source source = Source::time; // the one that answered, or the last that did not
    net::Address address;         // likewise; none when there is none
};

class SurveyEvents {
  public:
    virtual ~SurveyEvents() = default;
    // Once for each host, by its number, in the order in which they come.
    virtual void found(std::size_t number, Finding finding) = 0;
    // Nothing will happen for a while: what was found can be shown.
    virtual void waiting() = 0;
};

class Survey {
  public:
    // Signals have to be blocked already. HOSTS and EVENTS have to outlive it. The limit on our
    // descriptors is raised to what is needed, or less is done at once.
    Survey(const std::vector<Host>& hosts, const SurveyOptions& options, SurveyEvents& events);
    ~Survey();
    Survey(const Survey&) = delete;
    Survey& operator=(const Survey&) = delete;

    // Asks all hosts. The signal of SIGNALS that ended it before that, or 0. Throws SysError when
    // nothing can be asked at all.
    [[nodiscard]] int run(SignalFd& signals);

    // Hosts that were found, or found out to fail.
    [[nodiscard]] std::size_t finished() const noexcept { return finished_; }
    [[nodiscard]] const Ignored& ignored() const noexcept { return udp_.ignored(); }

  private:
    struct Inquiry; // a host that is being asked

    struct Timer {
        Deadline when;
        std::size_t number;
        std::uint32_t generation; // void when the inquiry has set another one since
        // The top of a priority queue is its greatest.
        [[nodiscard]] bool operator<(const Timer& other) const { return other.when < when; }
    };

    [[nodiscard]] int wait(SignalFd& signals);
    [[nodiscard]] Deadline next_event();
    [[nodiscard]] bool may_begin() const;
    [[nodiscard]] bool may_ask_after_shortage() const;
    void begin_some();
    void begin(std::size_t number);
    [[nodiscard]] Inquiry* next_sender();
    void ask_next_datagrams();
    void ask_again_after_shortage();
    void take_lookups();
    void take_results();
    void fire_timers();

    void looked_up(Inquiry& inquiry, net::Lookups::Answer answer);
    void ask_in_turn(Inquiry& inquiry);
    void ask(Inquiry& inquiry);
    void connect(Inquiry& inquiry);
    void take(const Exchange& exchange);
    void timer_fired(Inquiry& inquiry);
    void try_timed_out(Inquiry& inquiry);
    void answered(Inquiry& inquiry, const Exchange& exchange);
    [[nodiscard]] bool asks_for_tick(Inquiry& inquiry);
    void failed(Inquiry& inquiry, std::string problem);
    void finish(Inquiry& inquiry);

    void set_timer(Inquiry& inquiry, Deadline when);
    [[nodiscard]] Deadline end_of_try(const Inquiry& inquiry) const;
    [[nodiscard]] int tries_of(const SourcePort& source) const;
    [[nodiscard]] const SourcePort& source_of(const Inquiry& inquiry) const;
    [[nodiscard]] net::Address address_of(const Inquiry& inquiry) const;
    [[nodiscard]] std::time_t pivot() const;

    const std::vector<Host>& hosts_;
    SurveyOptions options_;
    SurveyEvents& events_;
    bool uses_streams_;
    Deadline ends_ = Deadline::never();
    // By number; there is none for who has not begun, or is done.
    std::vector<std::unique_ptr<Inquiry>> inquiries_;
    std::size_t begun_ = 0;
    std::size_t finished_ = 0;
    std::priority_queue<Timer> timers_;
    std::deque<std::size_t> datagrams_; // who has one to send
    Deadline::Clock::time_point next_datagram_;
    std::deque<std::size_t> short_of_sockets_; // who could not get one
    RandomNumbers nonces_;
    net::Lookups lookups_;
    TcpExchanges tcp_;
    UdpExchanges udp_;
    std::vector<Exchange> results_;
};

} // namespace ipcbox::clocks
