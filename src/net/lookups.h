// The addresses of many names at a time: what net/resolve.h does for one, in a few threads. A
// lookup that hangs holds up a thread, not its caller.
#pragma once

#include "net/resolve.h"

#include <memory>
#include <string>
#include <vector>

namespace ipcbox::net {

class Lookups {
  public:
    // Signals have to be blocked already.
    explicit Lookups(Family family);
    // Threads that wait for an answer are left to end by themselves.
    ~Lookups();
    Lookups(const Lookups&) = delete;
    Lookups& operator=(const Lookups&) = delete;

    // What needs no lookup is answered at once: a numeric address, and localhost, if it has an
    // address of the family; empty for all others.
    [[nodiscard]] std::vector<Address> known(const std::string& host) const;

    // Asks; NUMBER comes back with the answer. The first few have a thread each, what is more
    // waits for its turn. Whose DEADLINE has passed by then is not asked any more, and has
    // "timed out" for its problem.
    void ask(std::size_t number, std::string host, Deadline deadline);

    struct Answer {
        std::size_t number = 0;
        std::vector<Address> addresses; // their ports are 0
        std::string problem;            // "no such host", when there are none
    };
    // Readable when there are answers.
    [[nodiscard]] int fd() const noexcept;
    [[nodiscard]] std::vector<Answer> take();

  private:
    struct State;
    Family family_;
    std::shared_ptr<State> state_;
};

} // namespace ipcbox::net
