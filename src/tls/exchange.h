// The work of ipcbox-tls once it has a channel: the handshake, then both directions at once.
#pragma once

#include "tls/channel.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ipcbox::tls {

// The process for which we speak TLS is gone, or does not read any more.
struct Abandoned {};

struct Ends {
    int network;
    int received_to; // where the received plain bytes go
    int sent_from;   // where the plain bytes to send come from
    // True if both are the same socket, that of a program, which can end before its last bytes are
    // sent. Otherwise the other end is closed only when nothing more is wanted, and then we end at
    // once.
    [[nodiscard]] bool is_one_socket() const { return received_to == sent_from; }
};

class Exchange {
  public:
    // Reports a status line (net/tls_protocol.h).
    using Say = std::function<void(const std::string& line)>;
    Exchange(Channel& channel, const Ends& ends, Say say);

    // GONE is a descriptor that reports an error or a hang-up once no process waits for the
    // handshake any more. Throws Abandoned, and what Channel throws.
    void shake_hands(int gone);
    // Moves bytes until both directions have ended or the stream is cut. Throws Abandoned when the
    // process for which we work is gone.
    void run();

  private:
    // Writes of 256 KiB are the fastest: the pipe holds 1 MiB, and this stays in the cache.
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
