#include "core/spawn.h"

#include "core/error.h"
#include "core/program.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "core/user.h"

#include <array>
#include <cstddef>
#include <fcntl.h>
#include <fmt/core.h>
#include <memory>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// The data for the child, which shares our memory until it execs, while we wait.
struct Request {
    PreparedProgram program;
    const SpawnPlan& plan;
    pid_t parent;
    int error = 0;
    const char* failed = "execute";
    bool is_refused = false;
};

bool set_default(const sigset_t& signals) {
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    for (int signal = 1; signal <= SIGRTMAX; ++signal)
        if (::sigismember(&signals, signal) == 1 && signal != SIGKILL && signal != SIGSTOP &&
            sys::call("sigaction", ::sigaction, signal, &by_default, nullptr) < 0)
            return false;
    return true;
}

int set_nice(int nice) {
    return ::setpriority(PRIO_PROCESS, 0, nice);
}

// Sets up the child according to PLAN. Returns 0, or -1 and errno, and tells what FAILED.
int follow(const SpawnPlan& plan, const char*& failed) {
    const std::array sources{plan.input, plan.output, plan.error};
    for (int target = 0; target < 3; ++target) {
        const int source = sources[static_cast<std::size_t>(target)];
        if (source != SpawnPlan::same && sys::call("dup2", ::dup2, source, target) < 0) return -1;
    }
    if (plan.default_signals != nullptr && !set_default(*plan.default_signals)) return -1;
    const auto keep = [](int fd) { return ::fcntl(fd, F_SETFD, 0); };
    if (plan.kept >= 0 && sys::call("fcntl", keep, plan.kept) < 0) return -1;
    if (plan.group == ProcessGroup::own) sys::call("setpgid", ::setpgid, 0, 0);
    if (plan.group == ProcessGroup::own_session) sys::call("setsid", ::setsid);
    const auto take = [](int terminal) { return ::ioctl(terminal, TIOCSCTTY, 0); };
    if (plan.controlling_terminal >= 0 && sys::call("ioctl", take, plan.controlling_terminal) < 0)
        return -1;
    // TTOU is blocked, as all signals are. If this fails, the program still has to run.
    if (plan.terminal >= 0) sys::call("tcsetpgrp", ::tcsetpgrp, plan.terminal, ::getpid());
    const auto set_limit = [](int resource, const rlimit* limit) {
        return ::setrlimit(static_cast<__rlimit_resource>(resource), limit);
    };
    failed = "set a limit of";
    for (const auto& [resource, max] : plan.limits) {
        const rlimit limit{max, max};
        if (sys::call("setrlimit", set_limit, resource, &limit) < 0) return -1;
    }
    failed = "set the nice value of";
    if (plan.nice && sys::call("setpriority", set_nice, *plan.nice) < 0) return -1;
    failed = "execute";
    if (plan.user != nullptr && take_credentials(*plan.user) < 0) return -1;
    const auto forbid = [](unsigned long on) {
        return ::prctl(PR_SET_NO_NEW_PRIVS, on, 0UL, 0UL, 0UL);
    };
    return plan.no_new_privileges ? sys::call("prctl", forbid, 1UL) : 0;
}

// Sets the signal for the parent's death. False when that fails or the parent is already dead.
bool follow_to_death(int signal, pid_t parent) {
    const auto set = [](int number) { return ::prctl(PR_SET_PDEATHSIG, number); };
    return sys::call("prctl", set, signal) == 0 && ::getppid() == parent;
}

// Whether the process at the other end of the plan's socket lets us run. Nothing here allocates or
// throws. All signals are blocked, so the wait is not interrupted and needs no clock.
bool has_leave(const SpawnPlan& plan) {
    const pid_t self = ::getpid();
    const auto send_pid = [](int fd, const pid_t* pid) {
        return ::send(fd, pid, sizeof *pid, MSG_NOSIGNAL);
    };
    const pid_t* const asking = &self;
    while (sys::call("send", send_pid, plan.leave, asking) < 0)
        if (errno != EINTR) return false;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(plan.leave_patience);
    const timespec patience{static_cast<time_t>(seconds.count()),
                            static_cast<long>((plan.leave_patience - seconds).count())};
    pollfd entry{plan.leave, POLLIN, 0};
    pollfd* const answer = &entry;
    const timespec* const limit = &patience;
    const auto wait = [](pollfd* one, const timespec* timeout) {
        return ::ppoll(one, 1, timeout, nullptr);
    };
    int ready = 0;
    do
        ready = sys::call("ppoll", wait, answer, limit);
    while (ready < 0 && errno == EINTR);
    char byte = 0;
    char* const into = &byte;
    const auto receive = [](int fd, char* to) { return ::recv(fd, to, 1, MSG_DONTWAIT); };
    return ready > 0 && sys::call("recv", receive, plan.leave, into) == 1 && byte == leave_granted;
}

// Runs on its own stack in our memory, so it must not allocate, throw, or change anything that
// outlasts it, except the error.
int become_program(void* argument) {
    auto& request = *static_cast<Request*>(argument);
    const int death_signal = request.plan.death_signal;
    if (follow(request.plan, request.failed) == 0 &&
        (death_signal == 0 || follow_to_death(death_signal, request.parent))) {
        if (request.plan.leave >= 0 && !has_leave(request.plan)) {
            request.is_refused = true;
            ::_exit(exit_status::before_command);
        }
        restore_inherited_signals();
        if (request.plan.default_signals != nullptr)
            sys::call("sigprocmask", ::sigprocmask, SIG_UNBLOCK, request.plan.default_signals,
                      nullptr);
        request.error = request.program.execute();
    } else {
        request.error = errno;
    }
    ::_exit(exit_status::cannot_execute);
}

// Stands where an errno would: the other end did not let the child run.
constexpr int refused = -1;

// PIDFD may be null. If clone(2) fails, the result has its error and no pid.
Started clone_and_exec(const std::string& program, std::span<const std::string> arguments,
                       const SpawnPlan& plan, int* pidfd) {
    Request request{PreparedProgram{program, arguments, plan.environment}, plan, ::getpid()};
    // A stack for each call, because only this thread stops until the exec. It is not in our own
    // frame, because the address sanitizer would keep the state in which the child left it.
    constexpr std::size_t stack_size = 64UL * 1024;
    const auto stack = std::make_unique_for_overwrite<std::byte[]>(stack_size);
    // None of our handlers may run in the child while it shares our memory.
    const BlockedSignals blocked{all_signals()};
    const auto clone = [&](int flags) {
        return ::clone(become_program, stack.get() + stack_size, flags, &request, pidfd);
    };
    const int pid = sys::call(
        "clone", clone, CLONE_VM | CLONE_VFORK | SIGCHLD | (pidfd != nullptr ? CLONE_PIDFD : 0));
    if (pid < 0) return {0, errno};
    return {pid, request.is_refused ? refused : request.error, request.failed};
}

} // namespace

LeaveRefused::LeaveRefused(const std::string& program)
    : Error(fmt::format("cannot execute {}: it got no leave to run", program)) {}

int limit_error(const ResourceLimit& limit) noexcept {
    const auto get = [](int resource, rlimit* into) {
        return ::getrlimit(static_cast<__rlimit_resource>(resource), into);
    };
    const auto set = [](int resource, const rlimit* from) {
        return ::setrlimit(static_cast<__rlimit_resource>(resource), from);
    };
    rlimit ours{};
    if (sys::call("getrlimit", get, limit.resource, &ours) < 0) return errno;
    if (limit.max <= ours.rlim_max) return 0;
    const rlimit raised{ours.rlim_cur, limit.max};
    const rlimit* const wanted = &raised;
    const rlimit* const before = &ours;
    if (sys::call("setrlimit", set, limit.resource, wanted) < 0) return errno;
    return sys::call("setrlimit", set, limit.resource, before) < 0 ? errno : 0;
}

int nice_error(int nice) noexcept {
    const auto get = [] { return ::getpriority(PRIO_PROCESS, 0); };
    const int ours = sys::call("getpriority", get);
    if (nice >= ours) return 0; // everybody may be nicer
    if (sys::call("setpriority", set_nice, nice) < 0) return errno;
    return sys::call("setpriority", set_nice, ours) < 0 ? errno : 0;
}

Child spawn(const std::string& program, std::span<const std::string> arguments,
            const SpawnPlan& plan) {
    keep_ended_children();
    for (ForkAttempts attempts{plan.retry};;) {
        int pidfd = -1;
        const auto started = clone_and_exec(program, arguments, plan, &pidfd);
        Child child{started.pid};
        if (started.pid != 0) child.attach(Fd::adopt(pidfd));
        if (started.exec_error == 0) return child;
        if (child) child.wait();
        if (started.exec_error == refused) throw LeaveRefused(program);
        if (attempts.again_after(started.exec_error)) continue;
        if (started.pid == 0) throw SysError("start", program, started.exec_error);
        if (started.exec_error == EPERM && plan.user != nullptr && ::geteuid() != 0)
            throw SysError("become", fmt::format("user {}", user_name(plan.user->uid)), EPERM);
        throw_exec_error(program, started.exec_error);
    }
}

Started start_process(const std::string& program, std::span<const std::string> arguments,
                      const SpawnPlan& plan) {
    const auto started = clone_and_exec(program, arguments, plan, nullptr);
    if (started.pid == 0) throw SysError("start", program, started.exec_error);
    return started;
}

} // namespace ipcbox
