// Names for addresses, by reverse lookup, without anybody waiting for them: the first connection of
// an address goes by its number, the next by its name, once that is known.
#pragma once

#include "net/address.h"

#include <functional>
#include <memory>
#include <string>

namespace ipcbox::server {

class ReverseNames {
  public:
    // FOUND is told of each new name, by a thread of ours. Signals have to be blocked already. What
    // FOUND uses has to live as long as this.
    using Found = std::function<void(const std::string& ip, const std::string& name)>;
    explicit ReverseNames(Found found);
    ~ReverseNames();
    ReverseNames(const ReverseNames&) = delete;
    ReverseNames& operator=(const ReverseNames&) = delete;

    // What is known by now; empty when nothing is, and then it is asked for. An answer has a second
    // to come, is kept for ten minutes, and so is that there was none.
    [[nodiscard]] std::string name_of(const net::Address& address);

  private:
    struct State;
    static void answer_questions(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;
};

} // namespace ipcbox::server
