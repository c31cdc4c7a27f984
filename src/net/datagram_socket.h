// Sockets that receive datagrams, and answers that leave from the address that the client asked:
// udp(7), ip(7), ipv6(7), recvmmsg(2), sendmmsg(2).
//
// A socket on all interfaces has no address of its own. Its answers would leave from the address
// that the routing table prefers, while a client that asked 127.9.8.7 waits for an answer from
// there. So the kernel reports with each datagram the address that it was sent to (IP_PKTINFO), and
// we tell it to send the answer from that address.
#pragma once

#include "net/bind.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ipcbox::net {

// Binds UDP sockets as listen_tcp() (net/listener.h) does: one on each address of the host that
// this machine has, or one for all interfaces, IPv6 and IPv4. Throws the same errors.
[[nodiscard]] std::vector<BoundSocket> bind_udp(const HostPort& where);

// A socket that we were started with (take_inherited_count()), with the same options set. Throws
// Error when it is not a UDP socket, or is connected.
[[nodiscard]] BoundSocket inherited_datagram_socket(int number);
[[nodiscard]] bool is_datagram_socket(int number);

// A datagram that came. Its bytes are not kept.
struct Datagram {
    Address sender;
    Address asked; // our address that it was sent to
    // False when it was sent to a broadcast or multicast address.
    bool for_us_alone = true;
};

// Many datagrams in one system call.
class DatagramBatch {
  public:
    static constexpr std::size_t max_size = 64;

    DatagramBatch();
    ~DatagramBatch();
    DatagramBatch(const DatagramBatch&) = delete;
    DatagramBatch& operator=(const DatagramBatch&) = delete;

    // The datagrams that are there already, at most MAX_SIZE; valid until the next call. Never
    // waits. Throws SysError when the system lacks something.
    [[nodiscard]] std::span<const Datagram> receive(const BoundSocket& from);

    // Sends TEXT to the sender of each of DATAGRAMS (at most MAX_SIZE), from the address that the
    // sender asked. Returns how many the kernel took. An answer that cannot be sent (no route, a
    // firewall's rule, no room) is lost, as datagrams may be.
    std::size_t answer(const BoundSocket& from, std::span<const Datagram> datagrams,
                       std::string_view text);

  private:
    struct Slots;
    std::unique_ptr<Slots> slots_;
};

} // namespace ipcbox::net
