#include "process/system_log.h"

#include "core/fd.h"
#include "harness/scenario.h"

#include <array>
#include <cstdlib>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

using namespace ipcbox;
using namespace ipcbox::process;

namespace {

Fd listen_at(std::string_view path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    Fd socket = Fd::adopt(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return socket;
}

std::string message_at(const Fd& socket) {
    std::array<char, 1024> text{};
    const auto size = ::recv(socket.get(), text.data(), text.size(), 0);
    return size < 0 ? "" : std::string{text.data(), static_cast<std::size_t>(size)};
}

} // namespace

TEST_CASE("a message has its priority, its time, its sender and its text") {
    REQUIRE(::setenv("TZ", "UTC", 1) == 0);
    constexpr std::time_t time = 863'599'246; // Wed May 14 08:40:46 1997
    CHECK(system_log_message(Severity::info, "job", 812, time, "all is well") ==
          "<30>May 14 08:40:46 job[812]: all is well");
    CHECK(system_log_message(Severity::error, "job", 812, time, "").starts_with("<27>May 14"));
}

TEST_CASE("lines reach the log, also one that was started anew") {
    const test::Scenario scenario;
    SystemLog log{"job", scenario.path("log")};
    log.write(Severity::info, 812, "lost"); // nobody listens
    {
        const Fd first = listen_at("log");
        log.write(Severity::info, 812, "one");
        CHECK(message_at(first).ends_with(" job[812]: one"));
    }
    REQUIRE(std::remove("log") == 0);
    const Fd second = listen_at("log");
    log.write(Severity::error, 813, "two");
    CHECK(message_at(second).ends_with(" job[813]: two"));
}

TEST_CASE("a log that nobody reads does not hold its writer forever") {
    const test::Scenario scenario;
    const Fd full = listen_at("log");
    SystemLog log{"job", scenario.path("log")};
    const Fd filler = Fd::adopt(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    scenario.path("log").copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    while (::sendto(filler.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address),
                    sizeof address) >= 0)
        ;
    log.write(Severity::info, 812, "lost");
    CHECK(message_at(full) == "x");
}
