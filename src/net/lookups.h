// Looks up many names at the same time, each as net/resolve.h does it, in a few threads. A lookup
// that hangs holds up a thread, not its caller.
#pragma once

#include "net/resolve.h"

#include <memory>
#include <string>
#include <vector>

namespace ipcbox::net {

class Lookups {
  public:
    // Block all signals before: the threads of this object must not get any.
    explicit Lookups(Family family);
    // Does not wait for threads that still wait for an answer: they end by themselves.
    ~Lookups();
    Lookups(const Lookups&) = delete;
    Lookups& operator=(const Lookups&) = delete;

    // The addresses of a HOST that needs no lookup: a numeric address, or localhost if it has an
    // address of the family. Empty for all others.
    [[nodiscard]] std::vector<Address> known(const std::string& host) const;

    // Asks for HOST; the answer carries NUMBER. The first few questions get a thread each, and the
    // others wait for their turn. A question whose DEADLINE has passed by then is not asked: its
    // answer has the problem "timed out".
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
