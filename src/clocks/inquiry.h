// One host that is asked for the time: which source at which address is to be tried next, for how
// long, and what came of it. Nothing here sends, waits or sets a timer; that is the survey's
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
    net::TlsOptions tls;              // for https; its name is that of each host

    [[nodiscard]] bool asks(Source source) const;
};

// What came of a host.
struct Finding {
    // With a reading, or with the problem of each source: "time: refused, ntp: timed out".
    Answer answer;
    Source source = Source::time; // the one that answered, or the last one that did not
    net::Address address;         // likewise; none when there is none
};

class Inquiry {
  public:
    // HOST and OPTIONS have to outlive it. It begins now, and ends with the host's patience or at
    // LIMIT.
    Inquiry(const Host& host, const SurveyOptions& options, Deadline limit);

    [[nodiscard]] Deadline ends() const { return ends_; }
    // Where the host is found; at least one. The port of each does not matter.
    void set_addresses(std::vector<net::Address> addresses);

    // What is to be tried now.
    [[nodiscard]] Source source() const;
    // Begins the try: it goes to the address that is returned.
    const net::Address& begin_try();
    // When this try has taken long enough.
    [[nodiscard]] Deadline end_of_try() const;
    [[nodiscard]] bool was_tried() const { return tries_ > 0; }

    enum class Next {
        another_try, // of another address or source, or another datagram
        rest,        // until rest_ends(), and then another try: that finds the tick
        finished     // finding() is all that will be known
    };
    // An answer came.
    [[nodiscard]] Next take(Answer answer);
    // The try has failed.
    [[nodiscard]] Next fail(std::string problem);
    // A datagram was not answered in its time.
    [[nodiscard]] Next miss_datagram();
    // A datagram came that is no answer. If nothing better comes, this is why the host failed.
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
