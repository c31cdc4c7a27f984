#include "server/readiness.h"

#include "core/deadline.h"
#include "core/fd.h"
#include "core/syscall.h"
#include "net/unix_name.h"

#include <cstdlib>
#include <exception>
#include <sys/socket.h>

namespace ipcbox::server {

void notify_service_manager(const std::string& state) noexcept {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr) return;
    try {
        const auto name = net::name_to_connect(net::Address::unix_path(path));
        const auto& address = name.address;
        const Fd socket =
            Fd::adopt(sys::call("socket", ::socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sys::call("sendto", ::sendto, socket.get(), static_cast<const void*>(state.data()),
                  state.size(), MSG_NOSIGNAL, address.data(), address.size());
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): see the header
    }
}

void notify_reloading() noexcept {
    const auto now = Deadline::Clock::now().time_since_epoch(); // CLOCK_MONOTONIC
    notify_service_manager(
        "RELOADING=1\nMONOTONIC_USEC=" +
        std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count()) + "\n");
}

} // namespace ipcbox::server
