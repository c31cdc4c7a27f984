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
        std::string rules_file; // rules on addresses; empty: every client may connect
        std::vector<net::PeerRule> peer_rules; // a process that fulfils one of them may connect
        // The maximum of connections from one network at the same time. A network is all addresses
        // that have the same first bits.
        std::optional<unsigned> per_network;
        unsigned network_bits_4 = 32;
        unsigned network_bits_6 = 64;
    };
    using Trouble = std::function<void(const std::string&)>;

    // Reads the rules. Throws Error when the file is wrong or cannot be read. When it becomes wrong
    // later, the old rules stay in force and TROUBLE is called.
    Access(Limits limits, Trouble trouble);

    // Returns the reason why the client may not connect, or nothing when it may. For a client that
    // may, this stores its credentials (Unix sockets), counts it for its network and its address,
    // and adds the variables of its rule. The family of the socket decides which rules apply; the
    // addresses in a PROXY header never do. Throws SysError.
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
