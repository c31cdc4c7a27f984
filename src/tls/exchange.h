// The work of ipcbox-tls once it has a channel: the handshake, then both directions at once.
#pragma once

#include "tls/channel.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ipcbox::tls {

// The process that we speak TLS for is gone, or does not want what comes.
struct Abandoned {};

struct Ends {
    int network;
    int received_to; // the plain bytes that came go there
    int sent_from;   // and the ones to send come from there
    // One and the same socket for both, that of a program which may well end before what it said is
    // sent. Otherwise the other end goes only when nothing more is wanted, and then at once.
    [[nodiscard]] bool is_one_socket() const { return received_to == sent_from; }
};

class Exchange {
  public:
    // SAY is told a status line (net/tls_protocol.h).
    using Say = std::function<void(const std::string& line)>;
    Exchange(Channel& channel, const Ends& ends, Say say);

    // GONE is a descriptor that has an error or a hang-up once nobody waits for the handshake.
    // Throws Abandoned, and what Channel does.
    void shake_hands(int gone);
    // Until all was said both ways, the stream is cut, or nobody is there any more: Abandoned.
    void run();

  private:
    // 256 KiB a write is as fast as it gets: the pipe holds 1 MiB, and this stays in the cache.
    static constexpr std::size_t received_size = 256UL * 1024;
    static constexpr std::size_t sent_size = 64UL * 1024;

    bool receive();
    void fill();
    void finish_receiving();
    bool send();
    bool take();
    void wait();
    void lose_other_end();

    Channel& channel_;
    const Ends ends_;
    const Say say_;
    short receive_events_ = 0; // on the network
    short plain_events_ = 0;
    short send_events_ = 0; // on the network
    short take_events_ = 0;

    std::vector<char> received_buffer_ = std::vector<char>(received_size);
    std::span<const char> received_;
    std::optional<std::string> ending_; // the line for the end of what comes
    bool received_all_ = false;

    std::vector<char> sent_buffer_ = std::vector<char>(sent_size);
    std::span<const char> to_send_;
    bool closing_ = false;
    bool sent_all_ = false;
};

} // namespace ipcbox::tls
