// A time server: RFC 868 and RFC 867 over TCP and UDP, in one thread and one loop. It sends a
// client the time and drops it, and waits for none.
//
// Over UDP an answer goes to the address that is named as the sender, and that can be a lie. So
// there is at most one datagram for each that comes, and none
// - to a port below 1024, or one of ours: no client has such a port, and the services there (echo,
//   chargen, another server of the time) would answer our answer, forever;
// - to an address that no sender has: a broadcast or multicast address, port 0;
// - for a datagram that was sent to everybody, so that not all servers answer one sender;
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

// One answer that was given.
struct TimeAnswer {
    const TimeSocket& socket;
    const net::Address& client;
    const net::Address& asked; // the address of ours that was asked
    std::time_t time = 0;
};

struct TimeServiceConfig {
    Duration offset{};               // is added to our clock
    Duration delay{};                // before each answer, which has the time after the delay
    unsigned rate = 10;              // datagrams a second for one address; 0: without a limit
    std::size_t max_waiting = 16384; // answers that are kept back at a time

    // Called for each answer, if there is a function.
    std::function<void(const TimeAnswer&)> answered = {};
    // Called once in a while when descriptors or memory are short, and clients have to wait.
    std::function<void(const std::string&)> trouble = {};
};

struct TimeServiceCounts {
    std::uint64_t answered = 0;
    std::uint64_t refused = 0; // datagrams without an answer, for one of the reasons above
};

// Serves until one of SIGNALS comes, and returns the counts. Answers that are still kept back are
// lost.
[[nodiscard]] TimeServiceCounts serve_time(std::span<const TimeSocket> sockets,
                                           const TimeServiceConfig& config, SignalFd& signals);

} // namespace ipcbox::clocks
