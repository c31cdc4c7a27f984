#include "core/process.h"

#include "core/error.h"
#include "core/exec_arguments.h"
#include "core/poll.h"
#include "core/signals.h"
#include "core/syscall.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
// The header of glibc 2.36 does not say that it is C.
extern "C" {
#include <sys/pidfd.h>
}

namespace ipcbox {

namespace {

// 0 when PATH is a file that we may execute, else the errno that says why not.
int execution_error(const std::string& path) {
    if (sys::call("faccessat", ::faccessat, AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) < 0)
        return errno;
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) < 0) return errno;
    return S_ISREG(status.st_mode) ? 0 : EACCES;
}

void set_parent_death_signal(int signal) {
    const auto set = [](int number) { return ::prctl(PR_SET_PDEATHSIG, number); };
    if (sys::call("prctl", set, signal) < 0) throw SysError("set", "the parent death signal");
}

WaitStatus status_of(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return WaitStatus::exited(info.si_status);
    return WaitStatus::killed(info.si_status, info.si_code == CLD_DUMPED);
}

int wait_options(Deadline deadline) {
    return WEXITED | (deadline.is_never() ? 0 : WNOHANG);
}

} // namespace

int WaitStatus::as_exit_status() const {
    return signal_ != 0 ? exit_status::signal_base + signal_ : status_;
}

std::string WaitStatus::text() const {
    if (signal_ == 0) return fmt::format("exit {}", status_);
    return fmt::format("killed by {}{}", signal_name(signal_),
                       dumped_core_ ? " (core dumped)" : "");
}

Child::~Child() {
    if (pid_ == 0) return;
    const int killed = pidfd_ ? sys::call("pidfd_send_signal", ::pidfd_send_signal, pidfd_.get(),
                                          SIGKILL, nullptr, 0U)
                              : sys::call("kill", ::kill, pid_, SIGKILL);
    // A program that changed its user may be out of our reach: we would wait for as long as it
    // runs.
    if (killed < 0 && errno == EPERM) return;
    const auto id = pidfd_ ? static_cast<id_t>(pidfd_.get()) : static_cast<id_t>(pid_);
    siginfo_t info{};
    while (sys::call("waitid", ::waitid, pidfd_ ? P_PIDFD : P_PID, id, &info, WEXITED) < 0 &&
           errno == EINTR)
        ;
}

void Child::kill(int signal) const {
    send_signal(pidfd_, signal);
}

void Child::kill_group(int signal) const {
    if (pid_ > 0) ipcbox::kill_group(pid_, signal);
}

void kill_group(pid_t leader, int signal) noexcept {
    sys::call("kill", ::kill, -leader, signal);
}

std::optional<WaitStatus> Child::wait_until(Deadline deadline) {
    if (!deadline.is_never() && !wait_for(pidfd_.get(), POLLIN, deadline)) return std::nullopt;
    siginfo_t info{};
    while (sys::call("waitid", ::waitid, P_PIDFD, static_cast<id_t>(pidfd_.get()), &info,
                     wait_options(deadline)) < 0)
        if (errno != EINTR) throw SysError("wait for", fmt::format("process {}", pid_));
    release();
    return status_of(info);
}

std::optional<Reaped> reap_child() {
    siginfo_t info{};
    while (sys::call("waitid", ::waitid, P_ALL, id_t{0}, &info, WEXITED | WNOHANG) < 0) {
        if (errno == ECHILD) return std::nullopt;
        if (errno != EINTR) throw SysError("wait for", "a child");
    }
    if (info.si_pid == 0) return std::nullopt;
    return Reaped{info.si_pid, status_of(info)};
}

WaitStatus Child::wait() {
    return *wait_until(Deadline::never());
}

void Child::release() {
    pid_ = 0;
    pidfd_ = Fd{};
}

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        if (const int error = execution_error(name); error != 0) throw_exec_error(name, error);
        return name;
    }
    const char* variable = std::getenv("PATH");
    // What execvp(3) searches when PATH is not set.
    const std::string_view path = variable != nullptr ? variable : "/bin:/usr/bin";
    int error = ENOENT;
    for (std::size_t start = 0; start <= path.size() && !name.empty();) {
        const std::size_t end = std::min(path.find(':', start), path.size());
        // An empty entry is the working directory (POSIX 8.3).
        const auto directory =
            start == end ? std::string_view{"."} : path.substr(start, end - start);
        auto candidate = fmt::format("{}/{}", directory, name);
        const int candidate_error = execution_error(candidate);
        if (candidate_error == 0) return candidate;
        if (candidate_error == EACCES) error = EACCES;
        start = end + 1;
    }
    throw_exec_error(name, error);
}

std::string own_program() {
    std::array<char, 4096> path{}; // PATH_MAX
    const auto size = sys::call("readlink", ::readlink, "/proc/self/exe", path.data(), path.size());
    if (size < 0) throw SysError("find", "our own program");
    return {path.data(), static_cast<std::size_t>(size)};
}

void execute(const std::string& program, std::span<const std::string> arguments) {
    restore_inherited_signals();
    execute_with_signals_blocked(program, arguments);
}

void execute_with_signals_blocked(const std::string& program,
                                  std::span<const std::string> arguments) {
    const auto pointers = exec_pointers(arguments);
    sys::call("execve", ::execve, program.c_str(), pointers.data(), environ);
    throw_exec_error(program, errno);
}

void keep_ended_children() {
    struct sigaction action {};
    sys::call("sigaction", ::sigaction, SIGCHLD, nullptr, &action);
    if (action.sa_handler != SIG_IGN) return;
    action.sa_handler = SIG_DFL;
    sys::call("sigaction", ::sigaction, SIGCHLD, &action, nullptr);
}

Child fork_child(const std::function<int()>& body) {
    keep_ended_children();
    const pid_t pid = sys::call("fork", ::fork);
    if (pid < 0) throw SysError("fork", "a process");
    if (pid == 0) {
        int status = exit_status::failed;
        try {
            restore_inherited_signals();
            status = body();
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): see the header
        }
        ::_exit(status);
    }
    Child child{pid};
    if (auto pidfd = open_process(pid)) child.attach(std::move(*pidfd));
    return child;
}

void lead_process_group() noexcept {
    sys::call("setpgid", ::setpgid, 0, 0);
}

void end_with_parent(pid_t parent) {
    set_parent_death_signal(SIGKILL);
    if (::getppid() != parent) die_of(SIGKILL);
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

std::optional<Fd> open_process(pid_t pid) {
    const int number = sys::call("pidfd_open", ::pidfd_open, pid, 0U);
    if (number >= 0) return Fd::adopt(number);
    if (errno == ESRCH) return std::nullopt;
    throw SysError("open", fmt::format("process {}", pid));
}

void send_signal(const Fd& pidfd, int signal) {
    const int sent =
        sys::call("pidfd_send_signal", ::pidfd_send_signal, pidfd.get(), signal, nullptr, 0U);
    if (sent < 0 && errno != ESRCH) throw SysError("signal", "a process");
}

} // namespace ipcbox
