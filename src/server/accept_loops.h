// The threads of a server that accept connections. While one starts a program, which waits for the
// exec(2), another one can accept.
#pragma once

#include "core/event.h"
#include "net/acceptor.h"
#include "server/admission.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace ipcbox::server {

class AcceptLoops {
  public:
    // Takes the connections. Several loops may call it at the same time.
    class Handler {
      public:
        virtual ~Handler() = default;
        virtual void accepted(net::Accepted accepted, Place place) = 0;
        // No place is free, and the client must not wait for one (WithoutPlace::turn_away).
        virtual void no_place(net::Accepted accepted) = 0;
        // The system lacks something; the loop tries again after a pause.
        virtual void shortage(const std::string& what) = 0;
    };
    // Whether a client without a place waits for one in the kernel's queue.
    enum class WithoutPlace { wait, turn_away };

    // Opens the descriptors for COUNT loops. When descriptors are scarce it makes fewer loops and
    // leaves some descriptors for clients. LISTENERS, ADMISSION, HANDLER and ENDED must outlive
    // this object. A loop that ends signals ENDED. Throws SysError when not even one loop is
    // possible.
    AcceptLoops(const std::vector<net::Listener>& listeners, Admission& admission, Handler& handler,
                const Event& ended, int count, WithoutPlace without_place);
    ~AcceptLoops();
    AcceptLoops(const AcceptLoops&) = delete;
    AcceptLoops& operator=(const AcceptLoops&) = delete;

    // Makes the threads, which accept no client before go(). When the system has too few threads,
    // fewer loops run. Throws Error when it has none.
    void start();
    void go();
    // Tells the loops to end. They do so soon, but this does not wait for it.
    void stop();
    // Whether all loops have ended, because of stop() or because the admission is over.
    [[nodiscard]] bool have_ended() const { return running_ == 0; }
    // Waits until all loops have ended. After that start() may be called again.
    void join();

  private:
    void run(net::Acceptor& acceptor);
    [[nodiscard]] bool accept_one(net::Acceptor& acceptor);
    [[nodiscard]] bool accept_with_place(net::Acceptor& acceptor);
    [[nodiscard]] bool accept_or_turn_away(net::Acceptor& acceptor);

    Admission& admission_;
    Handler& handler_;
    const Event& ended_;
    const WithoutPlace without_place_;
    Event stop_;
    std::vector<net::Acceptor> acceptors_;
    std::atomic<int> running_ = 0;
    std::atomic<bool> may_go_ = false;
    std::vector<std::jthread> threads_;
};

} // namespace ipcbox::server
