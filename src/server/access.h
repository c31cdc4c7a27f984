// Whether a client may connect: the rules on addresses, the rules on the process behind a Unix
// socket, and the limit on the connections of one network. Several accept loops ask at once.
#pragma once

#include "net/peer_process.h"
#include "server/access_file.h"
#include "server/connection.h"

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::server {

class Access {
  public:
    struct Limits {
        std::string rules_file;                // rules on addresses; empty: everybody may connect
        std::vector<net::PeerRule> peer_rules; // a process that fulfils one of them may connect
        // Connections of one network at a time. A network is what has so many bits in common.
        std::optional<unsigned> per_network;
        unsigned network_bits_4 = 32;
        unsigned network_bits_6 = 64;
    };
    using Trouble = std::function<void(const std::string&)>;

    // Reads the rules. TROUBLE is told when the file becomes wrong later; the old rules then stay
    // in force. Throws Error when it is wrong or cannot be read now.
    Access(Limits limits, Trouble trouble);

    // Lets the client in: finds out who it is where the socket tells (credentials), counts it for
    // its network and its address, and takes over the variables of its rule. Returns why the client
    // may not connect, or nothing when it may. The family of the socket decides what is checked,
    // never what a header announced. Throws SysError.
    [[nodiscard]] std::optional<std::string> refuse(OpenConnection& connection);

  private:
    [[nodiscard]] std::optional<std::string> refuse_process(OpenConnection& connection) const;
    [[nodiscard]] std::optional<std::string> refuse_address(OpenConnection& connection);

    const Limits limits_;
    const Trouble trouble_;
    std::mutex mutex_; // of the file
    std::optional<AccessFile> file_;
};

} // namespace ipcbox::server
