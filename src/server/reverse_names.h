// Names for addresses, by reverse lookup. Nobody waits for them: the first connection of an address
// goes by its number, and later ones by its name once that is known.
//
// The owner of an address can have the DNS say any name for it. So a name counts only if its own
// addresses include the one that was asked for (forward-confirmed reverse DNS, RFC 8601, 2.7.3).
#pragma once

#include "net/address.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::server {

class ReverseNames {
  public:
    // How names are found. Each may throw, which means that there is no answer.
    struct Questions {
        std::function<std::optional<std::string>(const net::Address&)> name_of;
        std::function<std::vector<net::Address>(const std::string& name)> addresses_of;
    };
    // Questions to /etc/hosts and the DNS; each answer has a second to come.
    [[nodiscard]] static Questions dns();

    // A thread of ours calls FOUND with each new name. Signals have to be blocked already. FOUND
    // must stay callable as long as this object lives.
    using Found = std::function<void(const std::string& ip, const std::string& name)>;
    explicit ReverseNames(Found found, Questions questions = dns());
    ~ReverseNames();
    ReverseNames(const ReverseNames&) = delete;
    ReverseNames& operator=(const ReverseNames&) = delete;

    // The confirmed name, if it is known by now; else it is empty, and the thread asks for it. The
    // answer is kept for ten minutes, also the answer that there is no name.
    [[nodiscard]] std::string name_of(const net::Address& address);

  private:
    struct State;
    static void answer_questions(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

} // namespace ipcbox::server
