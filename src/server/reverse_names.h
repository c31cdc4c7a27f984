// Names for addresses, by reverse lookup. No connection waits for them: the first connection of an
// address is called by its number, and later ones by its name once that is known.
//
// The owner of an address can put any name for it into the DNS. So a name counts only if its own
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
    // The functions that ask for names and addresses. An exception means that there is no answer.
    struct Questions {
        std::function<std::optional<std::string>(const net::Address&)> name_of;
        std::function<std::vector<net::Address>(const std::string& name)> addresses_of;
    };
    // Asks /etc/hosts and the DNS, and waits at most one second for each answer.
    [[nodiscard]] static Questions dns();

    // A thread of ours calls FOUND with each new name. Signals have to be blocked already. FOUND
    // must stay callable as long as this object lives.
    using Found = std::function<void(const std::string& ip, const std::string& name)>;
    explicit ReverseNames(Found found, Questions questions = dns());
    ~ReverseNames();
    ReverseNames(const ReverseNames&) = delete;
    ReverseNames& operator=(const ReverseNames&) = delete;

    // The confirmed name if it is known. If not, the result is empty and the thread asks for the
    // name. Each answer is kept for ten minutes, including the answer that there is no name.
    [[nodiscard]] std::string name_of(const net::Address& address);

  private:
    struct State;
    static void answer_questions(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

} // namespace ipcbox::server
