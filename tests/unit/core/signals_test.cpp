#include "core/signals.h"

#include "core/child.h"
#include "core/poll.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox;
using namespace std::chrono_literals;

namespace {

bool is_blocked(int signal) {
    sigset_t mask;
    ::sigprocmask(SIG_BLOCK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

} // namespace

TEST_CASE("signals have names and numbers") {
    CHECK(signal_name(SIGTERM) == "TERM");
    CHECK(signal_name(SIGRTMIN) == "RTMIN");
    CHECK(signal_name(SIGRTMIN + 3) == "RTMIN+3");
    CHECK(signal_name(0) == "signal 0");
    CHECK(signal_name(77) == "signal 77");
    CHECK(signal_number("TERM") == SIGTERM);
    CHECK(signal_number("SIGTERM") == SIGTERM);
    CHECK(signal_number("sigterm") == SIGTERM);
    CHECK(signal_number("15") == SIGTERM);
    CHECK(signal_number("RTMIN") == SIGRTMIN);
    CHECK(signal_number("RTMIN+3") == SIGRTMIN + 3);
    CHECK(signal_number("SIGRTMAX-1") == SIGRTMAX - 1);
    CHECK(signal_number("IOT") == SIGABRT);
    CHECK(signal_number("CLD") == SIGCHLD);
    for (int number = 1; number <= SIGRTMAX; ++number)
        if (!signal_name(number).starts_with("signal"))
            CHECK(signal_number(signal_name(number)) == number);
    for (const char* wrong :
         {"", "0", "65", "-1", "+9", "9 ", "SIG", "SIGSIGTERM", "TERM2", "RTMIN-1", "RTMAX+1",
          "RTMIN+", "RTMIN+-1", "RTMIN+99", "RTMIN+2147483647", "RTMAX-2147483647", "RTMIN3"})
        CHECK_FALSE(signal_number(wrong));
}

TEST_CASE("a mask is restored, even if masks are nested") {
    CHECK_FALSE(is_blocked(SIGUSR1));
    {
        const BlockedSignals outer{signal_set({SIGUSR1})};
        {
            const BlockedSignals inner{all_signals()};
            CHECK(is_blocked(SIGUSR2));
        }
        CHECK(is_blocked(SIGUSR1));
        CHECK_FALSE(is_blocked(SIGUSR2));
    }
    CHECK_FALSE(is_blocked(SIGUSR1));
}

TEST_CASE("signals arrive as events") {
    SignalFd events{SIGUSR1, SIGUSR2};
    CHECK(is_blocked(SIGUSR1));
    CHECK_FALSE(events.next());
    ::kill(::getpid(), SIGUSR2);
    CHECK(wait_for(events.fd(), POLLIN, Deadline::after(30s)));
    CHECK(events.next() == SIGUSR2);
    CHECK_FALSE(events.next());
}

TEST_CASE("to die of a signal is to be killed by it") {
    for (const int signal : {SIGTERM, SIGINT, SIGKILL}) {
        Child child = fork_child([signal]() -> int {
            const BlockedSignals blocked{all_signals()};
            die_of(signal);
        });
        const auto status = child.wait();
        CHECK(status.signal() == signal);
    }
    Child child = fork_child([]() -> int { die_of(SIGCHLD); });
    CHECK(child.wait().as_exit_status() == 128 + SIGCHLD);
}
