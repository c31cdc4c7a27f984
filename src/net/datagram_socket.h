// Sockets that get datagrams, and answers that leave from the very address that was asked: udp(7),
// ip(7), ipv6(7), recvmmsg(2), sendmmsg(2).
//
// A socket on all interfaces has no address of its own. What it sends would leave from whichever
// one the routing table prefers, and a client who asked 127.9.8.7 waits for an answer from there.
// So the kernel is made to say with each datagram where it was going (IP_PKTINFO), and is told to
// send the answer from it.
#pragma once

#include "net/bind.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ipcbox::net {

// As listen_tcp() (net/listener.h): on every address of the host that this machine has, or one
// socket for all interfaces, IPv6 and IPv4. The same errors.
[[nodiscard]] std::vector<BoundSocket> bind_udp(const HostPort& where);

// One that we were started with (take_inherited_count()), made as these are. Throws Error when it
// is no UDP socket, or one that is connected.
[[nodiscard]] BoundSocket inherited_datagram_socket(int number);
[[nodiscard]] bool is_datagram_socket(int number);

// A datagram that came: its bytes are of no interest here.
struct Datagram {
    Address sender;
    Address asked; // the address of ours that it was sent to
    // False when it was for everybody: sent to a broadcast or multicast address.
    bool for_us_alone = true;
};

// Many datagrams in one system call.
class DatagramBatch {
  public:
    static constexpr std::size_t most = 64;

    DatagramBatch();
    ~DatagramBatch();
    DatagramBatch(const DatagramBatch&) = delete;
    DatagramBatch& operator=(const DatagramBatch&) = delete;

    // Those that are there already, MOST at most; valid up to the next call. Never waits. Throws
    // SysError for what the system lacks.
    [[nodiscard]] std::span<const Datagram> receive(const BoundSocket& from);

    // Sends TEXT to the sender of each of DATAGRAMS (MOST at most), from the address that was
    // asked. The number of those that the kernel took; one that cannot be sent (no route, a
    // firewall's rule, no room) is lost, as datagrams may be.
    std::size_t answer(const BoundSocket& from, std::span<const Datagram> datagrams,
                       std::string_view text);

  private:
    struct Slots;
    std::unique_ptr<Slots> slots_;
};

} // namespace ipcbox::net
