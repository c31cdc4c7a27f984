// A server of datagrams, in a thread of the test, that answers each as the test wants: not at all,
// twice, from elsewhere, or later.
//
//     DatagramPeer server{[](const Datagram& question) { question.answer("four"); }};
//     scenario.run({"udptime", server.text()});
#pragma once

#include "core/event.h"
#include "core/fd.h"
#include "net/address.h"

#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace ipcbox::test {

class Datagram {
  public:
    std::string bytes;
    net::Address from;
    net::Address asked;     // which address of ours, also when the peer has them all
    std::size_t number = 0; // counts from 0

    // From the address that was asked. Any thread may answer, as long as the peer is there, and as
    // often as it wants.
    void answer(std::string_view text) const;
    // From another address; port 0 is one that nobody has.
    void answer_from(const net::Address& elsewhere, std::string_view text) const;

  private:
    friend class DatagramPeer;
    int socket_ = -1;
};

class DatagramPeer {
  public:
    // Called in the peer's thread, for one datagram after another.
    using Work = std::function<void(const Datagram& question)>;

    // On an address, or on all of a family: "0.0.0.0" answers from the one that was asked.
    DatagramPeer(const net::Address& address, Work work);
    // On 127.0.0.1.
    explicit DatagramPeer(Work work);
    ~DatagramPeer();
    DatagramPeer(const DatagramPeer&) = delete;
    DatagramPeer& operator=(const DatagramPeer&) = delete;

    [[nodiscard]] const net::Address& address() const { return address_; }
    // "127.0.0.1:38009", "38009"
    [[nodiscard]] std::string text() const { return address_.text(); }
    [[nodiscard]] std::string port() const { return std::to_string(address_.port()); }

  private:
    void serve(const Work& work) const;

    Fd socket_;
    net::Address address_;
    Event ended_;
    std::jthread thread_;
};

// A port of 127.0.0.1 whose datagrams are refused (ICMP): its socket is connected to itself, and
// hears nobody else.
class RefusedDatagramPort {
  public:
    RefusedDatagramPort();
    [[nodiscard]] std::string text() const { return net::local_address(socket_.get()).text(); }
    [[nodiscard]] std::uint16_t number() const { return net::local_address(socket_.get()).port(); }
    [[nodiscard]] std::string port() const { return std::to_string(number()); }

  private:
    Fd socket_;
};

} // namespace ipcbox::test
