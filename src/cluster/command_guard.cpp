#include "cluster/command_guard.h"

#include "core/pidfd.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "core/spawn.h"
#include "core/syscall.h"
#include "process/tree_signals.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace ipcbox::cluster {

namespace {

constexpr auto between_kills = std::chrono::milliseconds{100};

// We act this much later than the front.
Duration lag(const LeaseTimes& times) {
    constexpr int part = 75;
    return times.ttl / part;
}

} // namespace

std::optional<pid_t> CommandGuard::next_asking() {
    if (!leave_) return std::nullopt;
    pid_t asking = 0;
    pid_t* const into = &asking;
    const auto receive = [](int fd, pid_t* pid) {
        return ::recv(fd, pid, sizeof *pid, MSG_DONTWAIT);
    };
    const auto got = sys::call("recv", receive, leave_.get(), into);
    if (got == 0) close_leave(); // nobody can ask any more
    if (got != ssize_t{sizeof asking}) return std::nullopt;
    return asking;
}

void CommandGuard::answer(bool may) {
    const char byte = may ? leave_granted : 'n';
    const char* const from = &byte;
    const auto send = [](int fd, const char* text) {
        return ::send(fd, text, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    };
    while (sys::call("send", send, leave_.get(), from) < 0)
        if (errno != EINTR) return close_leave(); // if the command waits, it gives up then
}

bool CommandGuard::begin(pid_t command) {
    auto handle = open_process(command);
    const auto stat = read_process_stat(command);
    if (!handle || !stat || stat->has_ended() || stat->parent != front_) return false;
    handle_ = *std::move(handle);
    root_ = {command, stat->start_ticks};
    return true;
}

void CommandGuard::look() {
    if (handle_ && wait_for(handle_.get(), POLLIN, Deadline::after(Duration::zero())))
        handle_ = Fd{};
}

void CommandGuard::judge(const LeaseTimes& times) {
    const auto now = BootClock::now();
    const auto doubt = doubt_at(times, now);
    if (doubt == Doubt::none) {
        front_acts_ = false;
        if (std::exchange(acted_, false) && on_lost_ == OnLost::pause) signal(SIGCONT);
        return;
    }
    if (on_lost_ == OnLost::warn || !is_running()) return;
    if (on_lost_ == OnLost::kill && doubt == Doubt::kill) return kill();
    if (acted_ || front_acts_ || now < times.term_at() + lag(times)) return;
    acted_ = true;
    signal(on_lost_ == OnLost::pause ? SIGSTOP : SIGTERM);
}

void CommandGuard::kill() {
    const auto now = BootClock::now();
    if (on_lost_ == OnLost::warn || !is_running() || now < next_kill_) return;
    next_kill_ = now + between_kills;
    signal(SIGKILL);
}

std::optional<BootTime> CommandGuard::next_boot_time(const LeaseTimes& times, bool is_lost) const {
    if (!is_running() || on_lost_ == OnLost::warn) return std::nullopt;
    const auto now = BootClock::now();
    if (is_lost || (on_lost_ == OnLost::kill && now >= times.kill_at()))
        return std::max(next_kill_, now);
    if (!acted_ && !front_acts_) return times.term_at() + lag(times);
    if (on_lost_ == OnLost::kill) return times.kill_at();
    return std::nullopt;
}

// Signals the command and all its descendants, including those that the front has adopted.
void CommandGuard::signal(int signal) {
    if (owner_) {
        (void)process::signal_trees(std::array{*owner_}, signal, process::Waking::everybody);
        return;
    }
    std::vector<pid_t> others;
    if (!is_front_gone_) others = process::children_of(front_);
    std::erase_if(others, [&](pid_t pid) { return pid == ::getpid() || pid == root_.pid; });
    auto roots = process::roots_of(others);
    if (is_running()) roots.insert(roots.begin(), root_);
    (void)process::signal_trees(roots, signal, process::Waking::everybody);
}

} // namespace ipcbox::cluster
