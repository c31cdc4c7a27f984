#include "core/child.h"

#include "core/error.h"
#include "core/exit_status.h"
#include "core/pidfd.h"
#include "core/poll.h"
#include "core/signals.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
// The header of glibc 2.36 does not say that it is C.
extern "C" {
#include <sys/pidfd.h>
}

namespace ipcbox {

namespace {

void set_parent_death_signal(int signal) {
    const auto set = [](int number) { return ::prctl(PR_SET_PDEATHSIG, number); };
    if (sys::call("prctl", set, signal) < 0) throw SysError("set", "the parent death signal");
}

// Takes the next change of any child, of the kinds in EVENTS. Nothing when there is no child, or no
// child has changed.
std::optional<siginfo_t> wait_for_any(int events) {
    siginfo_t info{};
    while (sys::call("waitid", ::waitid, P_ALL, id_t{0}, &info, events | WNOHANG) < 0) {
        if (errno == ECHILD) return std::nullopt;
        if (errno != EINTR) throw SysError("wait for", "a child");
    }
    return info.si_pid != 0 ? std::optional{info} : std::nullopt;
}

int wait_options(Deadline deadline) {
    return WEXITED | (deadline.is_never() ? 0 : WNOHANG);
}

// A thread that has ended cannot hold a lock, but the C library's count still includes it. The
// kernel counts a thread that we have joined for a moment longer, so we look again.
bool is_single_threaded() {
    if (__libc_single_threaded != 0) return true;
    constexpr nlink_t links_of_directory = 2;
    struct stat tasks {};
    const auto patience = Deadline::after(std::chrono::milliseconds{200});
    while (sys::call("stat", ::stat, "/proc/self/task", &tasks) == 0) {
        if (tasks.st_nlink == links_of_directory + 1) return true;
        if (patience.passed()) return false;
        (void)poll_until({}, Deadline::after(std::chrono::milliseconds{1}));
    }
    return false;
}

} // namespace

Child::~Child() {
    if (pid_ == 0) return;
    const int killed = pidfd_ ? sys::call("pidfd_send_signal", ::pidfd_send_signal, pidfd_.get(),
                                          SIGKILL, nullptr, 0U)
                              : sys::call("kill", ::kill, pid_, SIGKILL);
    // We may not kill a program that has changed its user. Do not wait for it either: it can run
    // for ever.
    if (killed < 0 && errno == EPERM) return;
    const auto id = pidfd_ ? static_cast<id_t>(pidfd_.get()) : static_cast<id_t>(pid_);
    siginfo_t info{};
    while (sys::call("waitid", ::waitid, pidfd_ ? P_PIDFD : P_PID, id, &info, WEXITED) < 0 &&
           errno == EINTR)
        ;
}

void Child::kill(int signal) const {
    if (pidfd_ || pid_ == 0) return send_signal(pidfd_, signal);
    if (sys::call("kill", ::kill, pid_, signal) < 0 && errno != ESRCH)
        throw SysError("signal", "a process");
}

void Child::kill_group(int signal) const {
    if (pid_ > 0) ipcbox::kill_group(pid_, signal);
}

void kill_group(pid_t leader, int signal) noexcept {
    sys::call("kill", ::kill, -leader, signal);
}

void kill_group_and_wake(pid_t leader, int signal) noexcept {
    kill_group(leader, signal);
    if (needs_wake(signal)) kill_group(leader, SIGCONT);
}

std::optional<WaitStatus> Child::wait_until(Deadline deadline) {
    if (!deadline.is_never() && !pidfd_)
        if (auto pidfd = open_process(pid_)) pidfd_ = std::move(*pidfd);
    if (!deadline.is_never() && !wait_for(pidfd_.get(), POLLIN, deadline)) return std::nullopt;
    siginfo_t info{};
    const auto id = static_cast<id_t>(pidfd_ ? pidfd_.get() : pid_);
    while (sys::call("waitid", ::waitid, pidfd_ ? P_PIDFD : P_PID, id, &info,
                     wait_options(deadline)) < 0)
        if (errno != EINTR) throw SysError("wait for", fmt::format("process {}", pid_));
    release();
    return WaitStatus::of(info);
}

std::optional<Reaped> reap_child() {
    const auto info = wait_for_any(WEXITED);
    if (!info) return std::nullopt;
    return Reaped{info->si_pid, WaitStatus::of(*info)};
}

std::optional<ChildChange> next_child_change() {
    const auto info = wait_for_any(WEXITED | WSTOPPED);
    if (!info) return std::nullopt;
    if (info->si_code == CLD_STOPPED || info->si_code == CLD_TRAPPED)
        return ChildChange{info->si_pid, std::nullopt, info->si_status};
    return ChildChange{info->si_pid, WaitStatus::of(*info), 0};
}

bool has_children() {
    siginfo_t info{};
    const int events = WEXITED | WNOHANG | WNOWAIT;
    while (sys::call("waitid", ::waitid, P_ALL, id_t{0}, &info, events) < 0)
        if (errno != EINTR) return false;
    return true;
}

WaitStatus Child::wait() {
    return *wait_until(Deadline::never());
}

std::optional<Child::End> Child::reap_if_ended() {
    // The C library's waitid(3) does not pass on the kernel's data about CPU time.
    const auto wait = [](int kind, id_t id, siginfo_t* info, rusage* usage) {
        return static_cast<int>(::syscall(SYS_waitid, kind, id, info, WEXITED | WNOHANG, usage));
    };
    siginfo_t info{};
    rusage usage{};
    const auto id = static_cast<id_t>(pidfd_ ? pidfd_.get() : pid_);
    while (sys::call("waitid", wait, int{pidfd_ ? P_PIDFD : P_PID}, id, &info, &usage) < 0)
        if (errno != EINTR) throw SysError("wait for", fmt::format("process {}", pid_));
    if (info.si_pid == 0) return std::nullopt;
    release();
    const auto duration = [](const timeval& time) {
        return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
    };
    return End{WaitStatus::of(info), duration(usage.ru_utime) + duration(usage.ru_stime)};
}

void Child::release() {
    pid_ = 0;
    pidfd_ = Fd{};
}

void keep_ended_children() {
    stop_ignoring(SIGCHLD);
}

Child fork_child(const std::function<int()>& body, const ForkRetry* retry) {
    if (!is_single_threaded()) throw Error("cannot fork: this process has threads");
    keep_ended_children();
    // The parent can open the handle even if this was the last free descriptor.
    Fd reserved = open_file("/", O_PATH | O_DIRECTORY);
    ForkAttempts attempts{retry};
    pid_t pid = -1;
    do
        pid = sys::call("fork", ::fork);
    while (pid < 0 && attempts.again_after(errno));
    if (pid < 0) throw SysError("fork", "a process");
    if (pid == 0) {
        int status = exit_status::failed;
        try {
            reserved = Fd{};
            restore_inherited_signals();
            status = body();
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): see the header
        }
        ::_exit(status);
    }
    reserved = Fd{};
    Child child{pid};
    try {
        if (auto pidfd = open_process(pid)) child.attach(std::move(*pidfd));
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch): see the header
    }
    return child;
}

void lead_process_group() noexcept {
    sys::call("setpgid", ::setpgid, 0, 0);
}

void end_with_parent(pid_t parent, int signal) {
    set_parent_death_signal(signal);
    if (::getppid() != parent) (void)::raise(signal);
}

void outlive_parent() {
    set_parent_death_signal(0);
}

void detach_from_session() {
    sys::call("setsid", ::setsid);
    sys::call("chdir", ::chdir, "/");
    for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard)
        let_go_of(standard, "a standard descriptor");
}

} // namespace ipcbox
