#include "process/system_log.h"

#include "core/date.h"
#include "core/deadline.h"
#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <algorithm>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace ipcbox::process {

SystemLog::SystemLog(std::string tag, std::string path)
    : tag_(std::move(tag)), path_(std::move(path)) {
    const int number = sys::call("socket", ::socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (number < 0) throw SysError("open", "a socket for the system's log");
    socket_ = Fd::adopt(number);
}

void SystemLog::write(Severity severity, pid_t pid, std::string_view line) noexcept try {
    const auto message = system_log_message(severity, tag_, pid, std::time(nullptr), line);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    const auto send = [&] {
        const auto* to = reinterpret_cast<const sockaddr*>(&address);
        return sys::call("sendto", ::sendto, socket_.get(),
                         static_cast<const void*>(message.data()), message.size(),
                         MSG_NOSIGNAL | MSG_DONTWAIT, to, socklen_t{sizeof address}) >= 0;
    };
    const auto deadline = Deadline::after(std::chrono::seconds{1});
    constexpr auto pause = std::chrono::milliseconds{10};
    // An unconnected socket is always writable, so poll(2) cannot tell when a full receiver has
    // room. Try again after a pause.
    while (!send() && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) && !deadline.passed())
        (void)poll_until({}, std::min(deadline, Deadline::after(pause)));
} catch (const std::exception&) { // NOLINT(bugprone-empty-catch): see the header
}

std::string system_log_message(Severity severity, std::string_view tag, pid_t pid, std::time_t time,
                               std::string_view line) {
    constexpr int daemon = 3 << 3;
    // "Thu May 14 08:40:46 1997"
    constexpr std::size_t month = 4;
    constexpr std::size_t length = 15;
    return fmt::format("<{}>{} {}[{}]: {}", daemon | static_cast<int>(severity),
                       date_text(time).substr(month, length), tag, pid, line);
}

} // namespace ipcbox::process
