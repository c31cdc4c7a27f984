#include "core/pidfd.h"

#include "core/error.h"
#include "core/syscall.h"

#include <cerrno>
#include <csignal>
#include <fmt/core.h>
#include <unistd.h>
// The header of glibc 2.36 does not say that it is C.
extern "C" {
#include <sys/pidfd.h>
}

namespace ipcbox {

namespace {

bool send(const Fd& pidfd, int signal, siginfo_t* info) {
    const int sent =
        sys::call("pidfd_send_signal", ::pidfd_send_signal, pidfd.get(), signal, info, 0U);
    if (sent == 0) return true;
    if (errno == ESRCH) return false;
    throw SysError("signal", "a process");
}

} // namespace

std::optional<Fd> open_process(pid_t pid) {
    const int number = sys::call("pidfd_open", ::pidfd_open, pid, 0U);
    if (number >= 0) return Fd::adopt(number);
    if (errno == ESRCH) return std::nullopt;
    throw SysError("open", fmt::format("process {}", pid));
}

void send_signal(const Fd& pidfd, int signal) {
    (void)try_to_signal(pidfd, signal);
}

bool try_to_signal(const Fd& pidfd, int signal) {
    return send(pidfd, signal, nullptr);
}

bool queue_signal(const Fd& pidfd, int signal, int value) {
    siginfo_t info{};
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = ::getpid();
    info.si_uid = ::getuid();
    info.si_value.sival_int = value;
    return send(pidfd, signal, &info);
}

} // namespace ipcbox
