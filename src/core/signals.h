// Signals as events: a SignalFd is polled beside everything else, so no handler does any work.
// signal(7), signalfd(2).
#pragma once

#include "core/fd.h"

#include <csignal>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox {

// "TERM", "RTMIN+3"; "signal 77" for a number without a name.
[[nodiscard]] std::string signal_name(int number);

// The number for "TERM", "SIGTERM", "term", "15", "RTMIN+3", "RTMAX-1"; nothing for anything else.
[[nodiscard]] std::optional<int> signal_number(std::string_view text);

// The name of a signal that a user may have meant by TEXT; empty when none is similar.
[[nodiscard]] std::string nearest_signal_name(std::string_view text);

// The set of these signals; all_signals() has every one.
[[nodiscard]] sigset_t signal_set(std::initializer_list<int> signals);
[[nodiscard]] sigset_t all_signals();

// Blocks signals for its lifetime, and then restores the mask from before. The constructor throws
// SysError.
class BlockedSignals {
  public:
    explicit BlockedSignals(const sigset_t& signals);
    ~BlockedSignals();
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

  private:
    sigset_t previous_{};
};

// Discards those of SIGNALS that are pending because writes of ours raised them while blocked:
// SIGPIPE, and SIGXFSZ beyond the limit of a file (ulimit -f). Otherwise they would kill us as soon
// as they are unblocked.
void take_back_write_signals(const sigset_t& signals = signal_set({SIGPIPE, SIGXFSZ})) noexcept;

// While it lives, a write that raises one of SIGNALS only fails: to a pipe or a socket without a
// reader (SIGPIPE, EPIPE), or to a file beyond its limit (SIGXFSZ, EFBIG). A program that writes to
// the next one of a pipeline takes SIGXFSZ alone, and still dies of SIGPIPE. The constructor throws
// SysError.
class HarmlessWriteSignals {
  public:
    explicit HarmlessWriteSignals(std::initializer_list<int> signals = {SIGPIPE, SIGXFSZ})
        : signals_(signal_set(signals)), blocked_(signals_) {}
    ~HarmlessWriteSignals() { take_back_write_signals(signals_); }
    HarmlessWriteSignals(const HarmlessWriteSignals&) = delete;
    HarmlessWriteSignals& operator=(const HarmlessWriteSignals&) = delete;

  private:
    sigset_t signals_;
    BlockedSignals blocked_;
};

// Restores the mask that we were started with, regardless of the current one. For a child, or
// for us before we become another program. Safe between vfork and exec.
void restore_inherited_signals() noexcept;

// The mask that we were started with. A program whose former image blocked signals across the exec
// corrects it, before it blocks anything.
[[nodiscard]] sigset_t inherited_signals();
void correct_inherited_signals(const sigset_t& mask);

// Gives SIGNAL its default action again if our parent made us ignore it, so that the programs that
// we start do not ignore it either.
void stop_ignoring(int signal);

// Whether SIGNAL asks a program to end, so that the program that we look after may do so itself.
[[nodiscard]] constexpr bool asks_to_end(int signal) noexcept {
    return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

// Whether CONT has to follow SIGNAL: a process that is stopped gets no signal except KILL until
// it goes on.
[[nodiscard]] constexpr bool needs_wake(int signal) noexcept {
    return signal != SIGKILL && signal != SIGCONT && signal != SIGSTOP && signal != SIGTSTP;
}

// A signal and where it came from: sigaction(2).
struct SignalEvent {
    int number = 0;
    bool from_process = false; // by kill(2), sigqueue(3) and the like; otherwise by the kernel
    pid_t sender = 0;          // when from_process; 0 for one in another PID namespace
    uid_t user = 0;            // likewise, its real uid

    // Whether a write of ours raised it: without a reader, or beyond the limit of a file. The error
    // of the write says the same, so a program that we look after must not get the signal.
    [[nodiscard]] bool is_of_own_write() const;
};

// Signals that arrive as readable events while this object lives; they are blocked meanwhile. A
// signal that was ignored when we were started stays ignored, as nohup(1) and a shell's background
// jobs expect.
class SignalFd {
  public:
    // Throws SysError, as the other constructor does.
    explicit SignalFd(std::initializer_list<int> signals);
    // Takes all of SIGNALS, even those that are ignored. For a supervisor, which passes them on to
    // a program that may handle them.
    explicit SignalFd(const sigset_t& signals);

    [[nodiscard]] int fd() const { return fd_.get(); }
    // The number of the next signal, nothing when none is waiting. Both throw SysError.
    [[nodiscard]] std::optional<int> next();
    [[nodiscard]] std::optional<SignalEvent> next_event();

  private:
    BlockedSignals blocked_;
    Fd fd_;
};

// Dies of SIGNAL as if it had never been caught, so that our parent sees how we ended (a shell
// stops its loop when a child died of SIGINT).
[[noreturn]] void die_of(int signal);

} // namespace ipcbox
