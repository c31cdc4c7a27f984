#include "core/boot_timer.h"

#include "core/error.h"
#include "core/syscall.h"

#include <algorithm>
#include <sys/timerfd.h>

namespace ipcbox {

BootTime BootClock::now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return BootTime{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

BootTimer::BootTimer() {
    const int number =
        sys::call("timerfd_create", ::timerfd_create, CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (number < 0) throw SysError("make", "a timer");
    fd_ = Fd::adopt(number);
}

void BootTimer::set(std::optional<BootTime> when) {
    itimerspec spec{};
    if (when) {
        // All zero would switch the timer off.
        const auto since_boot = std::max(when->time_since_epoch(), Duration{1});
        const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
        spec.it_value.tv_sec = static_cast<time_t>(seconds.count());
        spec.it_value.tv_nsec = static_cast<long>((since_boot - seconds).count());
    }
    const itimerspec* const wanted = &spec;
    const auto arm = [](int fd, const itimerspec* value) {
        return ::timerfd_settime(fd, TFD_TIMER_ABSTIME, value, nullptr);
    };
    if (sys::call("timerfd_settime", arm, fd_.get(), wanted) < 0) throw SysError("set", "a timer");
}

} // namespace ipcbox
