#include "core/signals.h"

#include "core/error.h"
#include "core/exit_status.h"
#include "core/number.h"
#include "core/spelling.h"
#include "core/syscall.h"

#include <cctype>
#include <ctime>
#include <fmt/core.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace ipcbox {

namespace {

bool is_signal(int value) {
    return value >= 1 && value <= SIGRTMAX;
}

// "+3" after RTMIN, "-1" after RTMAX, or nothing after either.
std::optional<int> real_time_signal(std::string_view offset, int base, char sign) {
    if (offset.empty()) return base;
    if (offset.front() != sign) return std::nullopt;
    const auto steps = whole_number<int>(offset.substr(1));
    if (!steps || *steps < 0 || *steps > SIGRTMAX) return std::nullopt;
    const int value = sign == '+' ? base + *steps : base - *steps;
    if (value < SIGRTMIN || value > SIGRTMAX) return std::nullopt;
    return value;
}

// SIGNALS without those that are ignored: if we blocked one of them, it would arrive all the same.
sigset_t heeded(std::initializer_list<int> signals) {
    sigset_t set = signal_set({});
    for (const int signal : signals) {
        struct sigaction action {};
        sys::call("sigaction", ::sigaction, signal, nullptr, &action);
        if (action.sa_handler != SIG_IGN) sigaddset(&set, signal);
    }
    return set;
}

// The mask that we were started with. Set when we first block a signal.
constinit std::optional<sigset_t> inherited_mask;

} // namespace

std::string nearest_signal_name(std::string_view text) {
    std::string name;
    for (const char letter : text)
        name += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    if (name.starts_with("SIG")) name.erase(0, 3);
    std::string nearest;
    for (int number = 1; number < SIGRTMIN; ++number) {
        const char* known = sigabbrev_np(number);
        if (known == nullptr) continue;
        if (nearest.empty() || spelling_distance(known, name) < spelling_distance(nearest, name))
            nearest = known;
    }
    return is_misspelling(nearest, name) ? nearest : std::string{};
}

sigset_t signal_set(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals)
        sigaddset(&set, signal);
    return set;
}

sigset_t all_signals() {
    sigset_t set;
    sigfillset(&set);
    return set;
}

std::string signal_name(int number) {
    if (const char* name = sigabbrev_np(number)) return name;
    if (number >= SIGRTMIN && number <= SIGRTMAX) {
        const int offset = number - SIGRTMIN;
        return offset == 0 ? "RTMIN" : fmt::format("RTMIN+{}", offset);
    }
    return fmt::format("signal {}", number);
}

std::optional<int> signal_number(std::string_view text) {
    if (const auto value = whole_number<int>(text)) return is_signal(*value) ? value : std::nullopt;
    std::string name;
    for (const char letter : text)
        name += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    if (name.starts_with("SIG")) name.erase(0, 3);
    if (name.starts_with("RTMIN")) return real_time_signal(name.substr(5), SIGRTMIN, '+');
    if (name.starts_with("RTMAX")) return real_time_signal(name.substr(5), SIGRTMAX, '-');
    // The names that kill -l knows in addition to those of the C library.
    if (name == "IOT") return SIGABRT;
    if (name == "CLD") return SIGCHLD;
    if (name == "POLL" || name == "IO") return SIGIO;
    for (int value = 1; value < SIGRTMIN; ++value)
        if (const char* known = sigabbrev_np(value); known != nullptr && name == known)
            return value;
    return std::nullopt;
}

BlockedSignals::BlockedSignals(const sigset_t& signals) {
    if (sys::call("sigprocmask", ::sigprocmask, SIG_BLOCK, &signals, &previous_) < 0)
        throw SysError("block", "signals");
    if (!inherited_mask) inherited_mask = previous_;
}

BlockedSignals::~BlockedSignals() {
    sys::call("sigprocmask", ::sigprocmask, SIG_SETMASK, &previous_, nullptr);
}

void restore_inherited_signals() noexcept {
    if (inherited_mask)
        sys::call("sigprocmask", ::sigprocmask, SIG_SETMASK, &*inherited_mask, nullptr);
}

sigset_t inherited_signals() {
    if (inherited_mask) return *inherited_mask;
    sigset_t mask;
    sys::call("sigprocmask", ::sigprocmask, SIG_BLOCK, nullptr, &mask);
    return mask;
}

void correct_inherited_signals(const sigset_t& mask) {
    inherited_mask = mask;
}

void stop_ignoring(int signal) {
    struct sigaction action {};
    sys::call("sigaction", ::sigaction, signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) return;
    action.sa_handler = SIG_DFL;
    sys::call("sigaction", ::sigaction, signal, &action, nullptr);
}

SignalFd::SignalFd(std::initializer_list<int> signals) : SignalFd(heeded(signals)) {}

SignalFd::SignalFd(const sigset_t& signals) : blocked_(signals) {
    const int number = sys::call("signalfd", ::signalfd, -1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (number < 0) throw SysError("receive", "signals");
    fd_ = Fd::adopt(number);
}

std::optional<int> SignalFd::next() {
    const auto event = next_event();
    return event ? std::optional{event->number} : std::nullopt;
}

std::optional<SignalEvent> SignalFd::next_event() {
    signalfd_siginfo info{};
    for (;;) {
        const ssize_t got =
            sys::call("read", ::read, fd_.get(), static_cast<void*>(&info), sizeof(info));
        if (got == static_cast<ssize_t>(sizeof info))
            return SignalEvent{static_cast<int>(info.ssi_signo), info.ssi_code <= 0,
                               static_cast<pid_t>(info.ssi_pid), info.ssi_uid};
        if (got < 0 && errno == EAGAIN) return std::nullopt;
        if (got < 0 && errno != EINTR) throw SysError("read", "signals");
    }
}

bool SignalEvent::is_of_own_write() const {
    return (number == SIGPIPE || number == SIGXFSZ) && sender == ::getpid();
}

void take_back_write_signals(const sigset_t& signals) noexcept {
    const timespec now{};
    while (sys::call("sigtimedwait", ::sigtimedwait, &signals, nullptr, &now) > 0)
        ; // until no signal is left
}

void die_of(int signal) {
    std::signal(signal, SIG_DFL);
    const sigset_t set = signal_set({signal});
    sys::call("sigprocmask", ::sigprocmask, SIG_UNBLOCK, &set, nullptr);
    (void)::raise(signal);
    // Reached only for a signal whose default action is not to kill.
    ::_exit(exit_status::signal_base + signal);
}

} // namespace ipcbox
