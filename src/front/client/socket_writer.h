// Bytes on their way into a socket that may not take them at once.
#pragma once

#include "core/deadline.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ipcbox::front {

class SocketWriter {
  public:
    // SOCKET stays its owner's. OBJECT is its name in errors, and has to outlive this.
    SocketWriter(int socket, std::string_view object) : socket_(socket), object_(object) {}

    void add(std::string_view bytes) { pending_.append(bytes); }
    [[nodiscard]] std::size_t pending() const { return pending_.size(); }

    // Sends what the socket takes without waiting. A peer that is gone takes no more, and that is
    // no error yet: what it said before may still be read. is_refused() then tells.
    void send_now();
    // Sends everything. Throws SysError "cannot write OBJECT", TimedOut.
    void send_all(Deadline deadline);
    // Tells the peer that this was all: shutdown(2).
    void end() const;

    [[nodiscard]] bool is_refused() const { return refusal_ != 0; }
    // Throws SysError when is_refused().
    void check() const;

  private:
    int socket_;
    std::string_view object_;
    std::string pending_;
    int refusal_ = 0; // errno
};

} // namespace ipcbox::front
