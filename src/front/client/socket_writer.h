// Buffers bytes for a socket that may not take them at once.
#pragma once

#include "core/deadline.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ipcbox::front {

class SocketWriter {
  public:
    // The caller keeps SOCKET. OBJECT is its name in errors, and has to outlive this.
    SocketWriter(int socket, std::string_view object) : socket_(socket), object_(object) {}

    void add(std::string_view bytes) { pending_.append(bytes); }
    [[nodiscard]] std::size_t pending() const { return pending_.size(); }

    // Sends as much as the socket takes without waiting. If the peer is gone, that is not yet an
    // error, because its last bytes may still have to be read; is_refused() reports it. Throws
    // SysError "cannot write OBJECT" for any other error, because the connection goes on.
    void send_now();
    // Sends everything. Throws SysError "cannot write OBJECT", TimedOut.
    void send_all(Deadline deadline);
    // Tells the peer that no more bytes will come: shutdown(2).
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
