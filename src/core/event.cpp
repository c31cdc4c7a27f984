#include "core/event.h"

#include "core/error.h"
#include "core/syscall.h"

#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ipcbox {

// Both calls move all 8 bytes at once or none, so EINTR cannot leave half of them. They can fail
// only with EAGAIN: the event is already in the wanted state.

Event::Event() {
    const int number = sys::call("eventfd", ::eventfd, 0U, EFD_NONBLOCK | EFD_CLOEXEC);
    if (number < 0) throw SysError("make", "an event descriptor");
    fd_ = Fd::adopt(number);
}

void Event::signal() const noexcept {
    const auto add = [](int fd) {
        const std::uint64_t one = 1;
        return ::write(fd, &one, sizeof one);
    };
    sys::call("eventfd_write", add, fd_.get());
}

bool Event::clear() const noexcept {
    const auto take = [](int fd) {
        std::uint64_t count = 0;
        return ::read(fd, &count, sizeof count);
    };
    return sys::call("eventfd_read", take, fd_.get()) > 0;
}

} // namespace ipcbox
