// A server of the time: RFC 868 and RFC 867 over TCP and UDP, in one thread and one loop. Whoever
// connects is told the time and let go; nobody is waited for.
//
// Over UDP an answer goes to whoever is named as the sender, and that can be a lie. So there is one
// datagram at most for each that comes, and none
// - to a port below 1024, or one of ours: no client has such a port, and the services there (echo,
//   chargen, another server of the time) would answer our answer, for ever;
// - to a sender who cannot be one: a broadcast or multicast address, port 0;
// - for what was sent to everybody, which would have all servers answer one sender;
// - beyond a rate for each address.
#pragma once

#include "clocks/time_sockets.h"
#include "core/deadline.h"
#include "core/signals.h"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <span>
#include <string>

namespace ipcbox::clocks {

// Who was told what.
struct TimeAnswer {
    const TimeSocket& socket;
    const net::Address& client;
    const net::Address& asked; // which of our addresses
    std::time_t time = 0;
};

struct TimeServiceConfig {
    Duration offset{};                // what is added to our clock
    Duration delay{};                 // how long an answer is kept back; it tells the time after it
    unsigned rate = 10;               // datagrams a second for one address; 0: without a limit
    std::size_t most_waiting = 16384; // answers that are kept back at a time

    // What is done with the answers that were given; nothing when nobody wants to know.
    std::function<void(const TimeAnswer&)> answered = {};
    // A shortage (of descriptors, of memory) that is waited out: told once in a while.
    std::function<void(const std::string&)> trouble = {};
};

struct TimeServiceCounts {
    std::uint64_t answered = 0;
    std::uint64_t refused = 0; // datagrams without an answer, for one of the reasons above
};

// Serves until one of SIGNALS comes; what it did. Answers that are kept back then are lost.
[[nodiscard]] TimeServiceCounts serve_time(std::span<const TimeSocket> sockets,
                                           const TimeServiceConfig& config, SignalFd& signals);

} // namespace ipcbox::clocks
