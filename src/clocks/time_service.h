// A server of the time: RFC 868 and RFC 867 over TCP and UDP, in one thread and one loop. Whoever
// connects is told the time and let go; nobody is waited for.
//
// Over UDP an answer goes to whoever is named as the sender, and that can be a lie. So there is one
// datagram at most for each that comes, none for one whose port is that of a service that would
// answer back (inetd(8)'s rule against loops), none to broadcast or multicast addresses, and none
// beyond a rate for each address.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "core/signals.h"
#include "net/address.h"
#include "net/listener.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::clocks {

enum class Protocol { time, daytime };

// Where it answers: a socket that listens, or that gets datagrams.
struct TimePlace {
    Fd socket;
    Address address;  // with the port that the kernel chose
    std::string text; // "127.0.0.1:37/udp"
    Protocol protocol = Protocol::time;
    enum class Kind { stream, datagram } kind = Kind::stream;
};

struct TimeServiceConfig {
    Duration offset{};                // what is added to our clock
    Duration delay{};                 // how long an answer is kept back
    unsigned rate = 10;               // datagrams a second for one address; 0: without a limit
    std::size_t most_waiting = 16384; // answers that are kept back at a time
};

struct TimeServiceCounts {
    std::uint64_t answered = 0;
    std::uint64_t refused = 0; // datagrams without an answer, for one of the reasons above
};

// Serves until one of SIGNALS comes; what it did.
[[nodiscard]] TimeServiceCounts serve_time(std::vector<TimePlace>& places,
                                           const TimeServiceConfig& config, SignalFd& signals);

} // namespace ipcbox::clocks
