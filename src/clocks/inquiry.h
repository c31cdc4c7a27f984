// One host that is asked for the time: decides which source at which address is tried next, for how
// long, and what the outcome is. Nothing here sends, waits or sets a timer; the survey does that
// (clocks/survey.h).
#pragma once

#include "clocks/host_list.h"
#include "clocks/source.h"
#include "core/deadline.h"
#include "net/resolve.h"
#include "net/tls_process.h"

#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ipcbox::clocks {

struct SurveyOptions {
    std::vector<SourcePort> sources; // for each host, in turn; at least one
    net::Family family = net::Family::any;
    // The time for a host with all its addresses and sources. The tries that are left share the
    // rest of it evenly, unless try_patience limits each try.
    Duration patience = std::chrono::seconds{5};
    std::optional<Duration> try_patience;
    Duration total = Duration::max(); // for all hosts
    int retries = 2;                  // of a datagram
    Duration interval{};              // between two datagrams
    std::size_t at_once = 4096;       // hosts, over TCP; fewer when there are too few descriptors
    bool precise = false;             // ask a clock of whole seconds until its tick is found
    std::optional<std::time_t> pivot; // of eras; without one, our own clock
    net::TlsOptions tls;              // for https; its name is that of each host

    [[nodiscard]] bool asks(Source source) const;
};

// The outcome for a host.
struct Finding {
    // Has a reading, or the problem of each source: "time: refused, ntp: timed out".
    Answer answer;
    Source source = Source::time; // the one that answered, or the last one that did not
    net::Address address;         // likewise; none when there is none
};

class Inquiry {
  public:
    // HOST and OPTIONS have to outlive it. It begins now, and ends when the host's patience has
    // passed, or at LIMIT.
    Inquiry(const Host& host, const SurveyOptions& options, Deadline limit);

    [[nodiscard]] Deadline ends() const { return ends_; }
    // The addresses of the host, at least one. Their ports are not used.
    void set_addresses(std::vector<net::Address> addresses);

    // The source to try now.
    [[nodiscard]] Source source() const;
    // Begins the try, and returns the address for it.
    const net::Address& begin_try();
    // When this try has taken long enough.
    [[nodiscard]] Deadline end_of_try() const;
    [[nodiscard]] bool was_tried() const { return tries_ > 0; }

    enum class Next {
        another_try, // at another address or source, or with another datagram
        rest,        // until rest_ends(), and then another try, to find the tick
        finished     // finding() is all that will be known
    };
    // An answer came.
    [[nodiscard]] Next take(Answer answer);
    // The try has failed.
    [[nodiscard]] Next fail(std::string problem);
    // A datagram was not answered in its time.
    [[nodiscard]] Next miss_datagram();
    // A datagram came that is not an answer. If nothing better comes, this is the reason why the
    // host failed.
    void note_malformed(std::string problem) { malformed_ = std::move(problem); }
    // The host cannot be asked at all.
    void give_up(std::string problem) { finding_.answer.problem = std::move(problem); }

    [[nodiscard]] Deadline rest_ends() const { return rest_ends_; }
    [[nodiscard]] Finding& finding() { return finding_; }

  private:
    [[nodiscard]] static int tries_of(Source source, const SurveyOptions& options);
    [[nodiscard]] bool has_room_for_tick() const;
    [[nodiscard]] std::string all_problems() const;

    const Host& host_;
    const SurveyOptions& options_;
    Deadline limit_;
    Deadline ends_;
    std::vector<net::Address> addresses_;
    std::size_t source_ = 0;  // which of options_.sources
    std::size_t address_ = 0; // which of addresses_
    int tries_ = 0;           // of this source at this address
    int answers_ = 0;
    Deadline rest_ends_ = Deadline::never();
    std::string malformed_; // what was wrong with a datagram
    std::vector<std::pair<Source, std::string>> problems_;
    Finding finding_;
};

} // namespace ipcbox::clocks
