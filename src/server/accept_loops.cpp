#include "server/accept_loops.h"

#include "core/error.h"

#include <fcntl.h>
#include <system_error>

namespace ipcbox::server {

namespace {

// After a shortage of descriptors or memory, we accept nobody for this time. An earlier attempt
// would only take CPU time from the processes that could end the shortage.
constexpr auto shortage_pause = std::chrono::milliseconds{100};

// The descriptors that one connection needs for a moment: its socket, and either a copy for the
// child or a pair of sockets.
constexpr int descriptors_for_a_client = 3;

void check_room_for_a_client() {
    std::vector<Fd> spare;
    try {
        for (int each = 0; each < descriptors_for_a_client; ++each)
            spare.push_back(open_file("/", O_PATH | O_DIRECTORY));
    } catch (const SysError& error) {
        throw SysError("accept", "any client", error.error());
    }
}

} // namespace

AcceptLoops::AcceptLoops(const std::vector<net::Listener>& listeners, Admission& admission,
                         Handler& handler, const Event& ended, int count,
                         WithoutPlace without_place)
    : admission_(admission), handler_(handler), ended_(ended), without_place_(without_place) {
    for (int each = 0; each < count; ++each) {
        try {
            acceptors_.emplace_back(listeners, stop_);
            check_room_for_a_client();
        } catch (const SysError&) {
            if (each == 0) throw;
            acceptors_.erase(acceptors_.begin() + each, acceptors_.end());
            return;
        }
    }
}

AcceptLoops::~AcceptLoops() {
    admission_.close();
    stop();
}

void AcceptLoops::start() {
    stop_.clear();
    may_go_ = false;
    for (auto& acceptor : acceptors_) {
        ++running_;
        try {
            threads_.emplace_back([this, &acceptor] { run(acceptor); });
        } catch (const std::system_error& error) {
            --running_;
            if (threads_.empty())
                throw Error(std::string{"cannot start a thread to accept clients: "} +
                            error.code().message());
            return;
        }
    }
}

void AcceptLoops::go() {
    may_go_ = true;
    may_go_.notify_all();
}

void AcceptLoops::stop() {
    go();
    stop_.signal();
}

void AcceptLoops::join() {
    threads_.clear();
}

// Returns only when no client may be accepted any more.
void AcceptLoops::run(net::Acceptor& acceptor) {
    may_go_.wait(false);
    for (bool goes_on = true; goes_on;) {
        try {
            goes_on = accept_one(acceptor);
        } catch (const std::exception& error) {
            handler_.shortage(error.what());
            admission_.pause(shortage_pause);
            // Wait for a client here: with no descriptor left, accept4(2) fails even when none has
            // come.
            goes_on = acceptor.wait();
        }
    }
    --running_;
    ended_.signal();
}

bool AcceptLoops::accept_one(net::Acceptor& acceptor) {
    return without_place_ == WithoutPlace::wait ? accept_with_place(acceptor)
                                                : accept_or_turn_away(acceptor);
}

// Takes a place for accept4(2), which does not block, but never holds one while it waits for a
// client.
bool AcceptLoops::accept_with_place(net::Acceptor& acceptor) {
    auto place = admission_.take();
    if (!place) return false;
    if (auto accepted = acceptor.accept_if_any()) {
        handler_.accepted(std::move(*accepted), std::move(*place));
        return true;
    }
    place.reset();
    return acceptor.wait();
}

bool AcceptLoops::accept_or_turn_away(net::Acceptor& acceptor) {
    if (!admission_.wait_for_pause()) return false;
    auto accepted = acceptor.accept_if_any();
    if (!accepted) return acceptor.wait();
    if (auto place = admission_.try_take())
        handler_.accepted(std::move(*accepted), std::move(*place));
    else
        handler_.no_place(std::move(*accepted));
    return true;
}

} // namespace ipcbox::server
