#include "process/supervise.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "core/syscall.h"
#include "process/tree_signals.h"

#include <array>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::process {

namespace {

// The terminal on which our group is in the foreground; nothing when there is none.
Fd foreground_terminal() try {
    Fd terminal = open_file("/dev/tty", O_RDWR | O_NOCTTY);
    const pid_t group = sys::call("tcgetpgrp", ::tcgetpgrp, terminal.get());
    return group == ::getpgrp() ? std::move(terminal) : Fd{};
} catch (const SysError&) {
    return Fd{};
}

bool is_in_pipeline() {
    const auto is_pipe = [](int fd) {
        const mode_t kind = file_kind(fd);
        return S_ISFIFO(kind) || S_ISSOCK(kind);
    };
    return is_pipe(STDIN_FILENO) || is_pipe(STDOUT_FILENO);
}

// The terminal itself sends these signals to the whole group.
bool is_from_keyboard(const SignalEvent& event) {
    return !event.from_process &&
           (event.number == SIGINT || event.number == SIGQUIT || event.number == SIGTSTP);
}

bool is_job_control(int signal) {
    return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

} // namespace

sigset_t signals_to_pass() {
    sigset_t set = all_signals();
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
        sigdelset(&set, own);
    return set;
}

Supervised::Supervised(const std::string& program, std::span<const std::string> arguments,
                       SupervisePlan plan)
    : plan_(std::move(plan)), signals_(signals_to_pass()) {
    if (plan_.extent == SupervisePlan::Extent::tree) adopt_orphans();
    if (plan_.group == SupervisePlan::Group::own) {
        terminal_ = foreground_terminal();
        has_own_group_ = !terminal_ || !is_in_pipeline();
    }
    SpawnPlan spawn_plan;
    spawn_plan.input = plan_.input;
    spawn_plan.output = plan_.output;
    spawn_plan.error = plan_.error;
    spawn_plan.environment = plan_.environment;
    spawn_plan.leave = plan_.leave;
    spawn_plan.leave_patience = plan_.leave_patience;
    spawn_plan.death_signal = plan_.death_signal;
    spawn_plan.retry = plan_.retry;
    if (plan_.default_signals) spawn_plan.default_signals = &*plan_.default_signals;
    if (has_own_group_) {
        spawn_plan.group = ProcessGroup::own;
        spawn_plan.terminal = terminal_.get();
        has_terminal_ = static_cast<bool>(terminal_);
    }
    try {
        child_ = spawn(program, arguments, spawn_plan);
    } catch (const Error&) {
        take_terminal();
        throw;
    }
    pid_ = child_.pid();
}

// When signals_ goes, a pending SIGPIPE or SIGXFSZ of our own writes would kill us. Take it back,
// because our end must show the command's end.
Supervised::~Supervised() {
    take_back_write_signals();
}

std::optional<WaitStatus> Supervised::wait() {
    for (;;) {
        handle();
        if (status_) return status_;
        if (limit_.passed()) return std::nullopt;
        (void)wait_for(signals_.fd(), POLLIN, limit_);
    }
}

bool Supervised::wait_for_all() {
    for (;;) {
        handle();
        if (status_ && !has_children()) return true;
        if (limit_.passed()) return false;
        (void)wait_for(signals_.fd(), POLLIN, limit_);
    }
}

void Supervised::handle() {
    while (const auto event = signals_.next_event()) {
        if (event->number == SIGCHLD) {
            look_at_children();
            continue;
        }
        if (event->is_of_own_write()) continue;
        if (plan_.on_signal && !plan_.on_signal(*event)) continue;
        pass_on(*event);
    }
}

// While status_ is empty, we have not waited for the child, so no other process has its number.
void Supervised::pass_on(const SignalEvent& event) {
    if (status_) return;
    if (!has_own_group_ && is_from_keyboard(event)) return;
    int signal = event.number;
    for (const auto& [from, to] : plan_.rewrites)
        if (from == event.number) {
            signal = to;
            break;
        }
    if (signal == 0) return;
    if (event.number == SIGCONT) give_terminal();
    if (has_own_group_ && plan_.reach == SupervisePlan::Reach::group)
        child_.kill_group(signal);
    else
        child_.kill(signal);
}

void Supervised::look_at_children() {
    if (plan_.on_end) return look_closely_at_children();
    while (const auto change = next_child_change()) {
        if (change->pid != pid_) continue;
        if (change->end)
            end(*change->end);
        else if (is_job_control(change->stopped_by))
            stop_with_command();
    }
}

// Waits for the children one by one, because a child's name has to be read before we wait for it.
void Supervised::look_closely_at_children() {
    while (const auto child = reap_ended_child()) {
        if (child->pid == pid_) end(child->status);
        plan_.on_end(*child);
    }
    if (status_) return;
    if (const auto signal = stop_signal_of(pid_); signal && is_job_control(*signal))
        stop_with_command();
}

void Supervised::end(WaitStatus status) {
    status_ = status;
    child_.release();
    take_terminal();
}

// Stops us by TSTP and not by STOP: the kernel ignores TSTP in an orphaned process group, where
// nobody could continue us.
void Supervised::stop_with_command() {
    take_terminal();
    struct sigaction usual {};
    struct sigaction before {};
    usual.sa_handler = SIG_DFL;
    sys::call("sigaction", ::sigaction, SIGTSTP, &usual, &before);
    const sigset_t stop = signal_set({SIGTSTP});
    (void)::raise(SIGTSTP);
    sys::call("sigprocmask", ::sigprocmask, SIG_UNBLOCK, &stop, nullptr);
    // The process stops here. The CONT that continues it waits in signals_, and is passed on later.
    sys::call("sigprocmask", ::sigprocmask, SIG_BLOCK, &stop, nullptr);
    sys::call("sigaction", ::sigaction, SIGTSTP, &before, nullptr);
}

// Gives the terminal to the command, if the shell has brought us to the foreground.
void Supervised::give_terminal() {
    if (!has_own_group_ || has_terminal_) return;
    if (!terminal_) terminal_ = foreground_terminal();
    if (!terminal_ || sys::call("tcgetpgrp", ::tcgetpgrp, terminal_.get()) != ::getpgrp()) return;
    has_terminal_ = sys::call("tcsetpgrp", ::tcsetpgrp, terminal_.get(), pid_) == 0;
}

// TTOU is blocked, so the kernel lets us do this from the background.
void Supervised::take_terminal() {
    if (!has_terminal_) return;
    has_terminal_ = false;
    sys::call("tcsetpgrp", ::tcsetpgrp, terminal_.get(), ::getpgrp());
}

std::size_t Supervised::signal(int signal) {
    if (plan_.extent == SupervisePlan::Extent::tree && has_own_proc()) {
        const auto tree = signal_own_tree(signal);
        if (tree.signalled > 0 || !tree.refused.empty()) return tree.signalled;
        // /proc may not have shown the command.
    }
    if (status_) return 0;
    const auto send = [&](int number) {
        if (has_own_group_)
            child_.kill_group(number);
        else
            child_.kill(number);
    };
    send(signal);
    if (signal != SIGKILL && signal != SIGCONT) send(SIGCONT);
    return 1;
}

WaitStatus supervise(const std::string& program, std::span<const std::string> arguments,
                     SupervisePlan plan) {
    Supervised command{program, arguments, std::move(plan)};
    return *command.wait();
}

int end_as(WaitStatus status) {
    if (status.signal() == 0 || ::getpid() == 1) return status.as_exit_status();
    const auto set = [](unsigned long dumpable) { return ::prctl(PR_SET_DUMPABLE, dumpable); };
    sys::call("prctl", set, 0UL);
    die_of(status.signal());
}

} // namespace ipcbox::process
