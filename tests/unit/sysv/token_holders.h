// What the tests of the token sets have in common: the shapes of sets, and processes that hold a
// token or wait for one.
#pragma once

#include "core/child.h"
#include "core/error.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "harness/scenario.h"
#include "sysv/token_set.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipcbox::test {

using namespace std::chrono_literals;

inline constexpr auto modes = 0600;

inline Deadline now() {
    return Deadline::after(0s);
}

inline Deadline soon() {
    return Deadline::after(30s);
}

// The shapes that a set can have.
struct Shape {
    const char* name;
    bool by_name;
    int slots;
};
inline constexpr std::array shapes{Shape{"plain", false, 1}, Shape{"counting", false, 3},
                                   Shape{"named", true, 1}, Shape{"named and counting", true, 3}};

inline sysv::Key key_for(const Scenario& scenario, const Shape& shape) {
    return sysv::Key::parse(shape.by_name ? scenario.name() : scenario.key());
}

inline std::vector<unsigned short> values_of(const sysv::Key& key) {
    return sysv::SemaphoreSet::find(key)->values();
}

// The error's words, "" when there is none.
template <class Function> std::string error_of(Function function) {
    try {
        function();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

// Returns when nobody else has the writing end any more.
inline void wait_for_end(Pipe& pipe) {
    pipe.writer = Fd{};
    (void)wait_for(pipe.reader.get(), POLLIN, soon());
}

// A child that took a token and lives on with it.
inline Child start_holder(const sysv::Key& key, sysv::Lease lease) {
    Pipe pipe = make_pipe();
    Child child = fork_child([&] {
        auto set = sysv::TokenSet::find(key);
        if (!set->take(lease, soon())) return 1;
        pipe.writer = Fd{};
        ::pause();
        return 0;
    });
    wait_for_end(pipe);
    return child;
}

// A child that does nothing.
inline Child start_sleeper() {
    return fork_child([] {
        ::pause();
        return 0;
    });
}

// A child that shares the set and lives on with it.
inline Child start_sharer(const sysv::Key& key) {
    Pipe pipe = make_pipe();
    Child child = fork_child([&] {
        auto set = sysv::TokenSet::find(key);
        if (!set->share(soon())) return 1;
        pipe.writer = Fd{};
        ::pause();
        return 0;
    });
    wait_for_end(pipe);
    return child;
}

// A child that waits in the kernel for a token.
inline Child start_waiter(const sysv::Key& key, sysv::Lease lease) {
    Child child = fork_child([&]() -> int {
        try {
            return sysv::TokenSet::find(key)->take(lease, soon()) ? 0 : 1;
        } catch (const Error& error) {
            return std::string_view{error.what()}.find("was removed") != std::string_view::npos ? 7
                                                                                                : 8;
        }
    });
    CHECK(eventually([&] { return is_blocked_in(child.pid(), SYS_semtimedop); }));
    return child;
}

inline int status_of(Child& child) {
    const auto status = child.wait_until(soon());
    return status ? status->as_exit_status() : -1;
}

inline void end(Child& child) {
    child.kill(SIGKILL);
    CHECK(status_of(child) == 128 + SIGKILL);
}

// The take and the give of the manual page, by anybody.
inline bool manual_take(int id, int flags = 0) {
    std::array operations{sembuf{0, 0, static_cast<short>(flags)},
                          sembuf{0, 1, static_cast<short>(flags)}};
    return ::semop(id, operations.data(), operations.size()) == 0;
}
inline void manual_give(int id) {
    sembuf operation{0, -1, IPC_NOWAIT};
    ::semop(id, &operation, 1);
}

} // namespace ipcbox::test
