#include "process/watch.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <array>
#include <cstdint>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

namespace ipcbox::process {

namespace {

// struct pidfd_info of <linux/pidfd.h>, in its first version (64 bytes); our headers are older.
struct PidfdInfo {
    std::uint64_t mask;
    std::uint64_t cgroup;
    std::array<std::uint32_t, 11> ids; // pid, tgid, ppid and the credentials
    std::int32_t exit_code;            // as wait(2) stores it
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr std::uint64_t info_exit = 1U << 3U;                  // PIDFD_INFO_EXIT
constexpr unsigned long get_info = _IOWR(0xff, 11, PidfdInfo); // PIDFD_GET_INFO

} // namespace

std::optional<WaitStatus> exit_status_of(const Fd& handle) {
    PidfdInfo info{};
    info.mask = info_exit;
    const auto ask = [](int fd, PidfdInfo* into) { return ::ioctl(fd, get_info, into); };
    if (sys::call("ioctl", ask, handle.get(), &info) < 0 || (info.mask & info_exit) == 0)
        return std::nullopt;
    if (WIFEXITED(info.exit_code)) return WaitStatus::exited(WEXITSTATUS(info.exit_code));
    return WaitStatus::killed(WTERMSIG(info.exit_code), WCOREDUMP(info.exit_code));
}

Watch::Watch() {
    const int number = sys::call("epoll_create1", ::epoll_create1, EPOLL_CLOEXEC);
    if (number < 0) throw SysError("watch", "processes");
    epoll_ = Fd::adopt(number);
}

void Watch::add(Fd handle, std::size_t number) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number;
    if (sys::call("epoll_ctl", ::epoll_ctl, epoll_.get(), EPOLL_CTL_ADD, handle.get(), &event) < 0)
        throw SysError("watch", "a process");
    if (handles_.size() <= number) handles_.resize(number + 1);
    handles_[number] = std::move(handle);
    ++left_;
}

bool Watch::wait(Deadline deadline,
                 const std::function<void(std::size_t, std::optional<WaitStatus>)>& on_end) {
    std::array<epoll_event, 64> events{};
    if (!wait_for(epoll_.get(), POLLIN, deadline)) return false;
    const int count = sys::call("epoll_wait", ::epoll_wait, epoll_.get(), events.data(),
                                static_cast<int>(events.size()), 0);
    for (int at = 0; at < count; ++at) {
        const auto number = events[static_cast<std::size_t>(at)].data.u64;
        const Fd handle = std::move(handles_[number]); // closing it also ends the watch
        --left_;
        on_end(number, exit_status_of(handle));
    }
    return true;
}

} // namespace ipcbox::process
