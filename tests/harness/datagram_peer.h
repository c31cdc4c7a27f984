// A server of datagrams, in a thread of the test. It answers each datagram as the test wants: not
// at all, twice, from another address, or later.
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
    net::Address asked;     // the address that the client asked, which is one of ours
    std::size_t number = 0; // counts from 0

    // Sends an answer from the address that was asked. Any thread may call this, any number of
    // times, while the peer exists.
    void answer(std::string_view text) const;
    // Sends an answer from another address. With port 0, the kernel chooses a free port.
    void answer_from(const net::Address& elsewhere, std::string_view text) const;

  private:
    friend class DatagramPeer;
    int socket_ = -1;
};

class DatagramPeer {
  public:
    // The peer's thread calls this for one datagram after another.
    using Work = std::function<void(const Datagram& question)>;

    // Listens on an address. For all of a family ("0.0.0.0"), it answers from the address that was
    // asked.
    DatagramPeer(const net::Address& address, Work work);
    // Listens on 127.0.0.1.
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

// A port of 127.0.0.1 that refuses datagrams (ICMP): its socket is connected to itself, so it hears
// no other.
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
