#include "front/ipc/guarded_run.h"

#include "cli/output.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "core/program.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "front/ipc/held_process.h"
#include "front/ipc/keeper_process.h"
#include "process/supervise.h"
#include "process/tree.h"

#include <array>
#include <csignal>
#include <fmt/core.h>
#include <span>
#include <unistd.h>
#include <utility>

namespace ipcbox::front {

namespace {

using cluster::Doubt;
using cluster::OnLost;

class Front {
  public:
    // TAKEN is null unless the plan has an owner.
    Front(std::string program, std::span<const std::string> words, const cluster::KeeperPlan& plan,
          const Taken* taken)
        : program_(std::move(program)), words_(words), plan_(plan), taken_(taken), keeper_(plan) {
        if (plan_.owner) held_.emplace(*plan_.owner);
        // Both guards need /proc to find the processes of the command.
        if (!has_own_proc())
            throw Error(fmt::format("cannot guard {}: {}", words_.front(), no_own_proc_reason()),
                        exit_status::before_command);
    }

    int run() try {
        process::adopt_orphans();
        keeper_.start(0);
        do {
            if (const auto status = wait_for_token()) return *status;
        } while (!start_command());
        while (!is_over()) {
            wait_for_news();
            keeper_.hear();
            // Judge before a CONT is passed on, because a command whose lease is over must not
            // continue.
            judge();
            handle_signals();
            if (must_wait_again()) wait_again();
            // A keeper needs to know the command that it guards.
            if (is_running() || lost_) keeper_.mind(is_running() ? command_->pid() : 0);
        }
        return end();
    } catch (const Error&) {
        command_.reset(); // this kills the command
        give_back();
        throw;
    }

  private:
    // Nothing when we have the token; otherwise our exit status.
    std::optional<int> wait_for_token() {
        for (;;) {
            keeper_.hear();
            if (const auto& end = keeper_.end()) {
                give_back(std::chrono::seconds{1});
                if (end->status == exit_status::before_command)
                    throw Error(end->reason, end->status);
                if (!end->reason.empty()) cli::diagnose(end->reason);
                return end->status;
            }
            if (keeper_.is_gone())
                throw Error("cannot keep the lease: its keeper has given it up",
                            exit_status::before_command);
            if (keeper_.has_token()) return std::nullopt;
            keeper_.mind(0);
            while (const auto signal = signals_.next())
                if (*signal != SIGCHLD) return leave_queue(*signal);
            std::array<pollfd, 2> entries{{{keeper_.fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}}};
            (void)poll_until(entries, Deadline::never());
        }
    }

    // The keeper gives back our place even if we do not wait for it, so wait only a little.
    int leave_queue(int signal) {
        constexpr auto patience = std::chrono::milliseconds{30};
        give_back(patience);
        return process::end_as(WaitStatus::killed(signal, false));
    }

    // False when the command was not allowed to run, because its lease or its keeper was lost.
    bool start_command() {
        // Do this first: the command must have no terminal that could send it signals.
        if (taken_ != nullptr) detach_from_session();
        try {
            run_command(keeper_.leave());
            if (taken_ != nullptr) hold();
            return true;
        } catch (const LeaveRefused&) {
            keeper_.replace();
            return false;
        }
    }

    // Throws Error; then there is no command.
    void run_command(int leave) {
        Environment environment = Environment::ours();
        const auto fence = fmt::format("{}", keeper_.place().fence);
        environment.set("IPCBOX_SEM_KEY=" + keeper_.key());
        environment.set("IPCBOX_SEM_FENCE=" + fence);
        environment.set("ETCD_LOCK_KEY=" + keeper_.key());
        environment.set("ETCD_LOCK_REV=" + fence);
        process::SupervisePlan plan;
        plan.reach = process::SupervisePlan::Reach::command;
        plan.extent = process::SupervisePlan::Extent::tree;
        plan.group = process::SupervisePlan::Group::ours;
        plan.environment = &environment.entries();
        plan.leave = leave;
        plan.leave_patience =
            std::max<Duration>(times().term_at() - BootClock::now(), Duration::zero());
        plan.on_signal = [this](const SignalEvent& event) { return note(event.number); };
        plan.on_end = [this](const process::EndedChild& child) { keeper_.child_ended(child.pid); };
        command_.emplace(program_, words_, std::move(plan));
    }

    // The command dies of such a signal, or has just ended.
    bool note(int signal) {
        struct sigaction action {};
        sys::call("sigaction", ::sigaction, signal, nullptr, &action);
        is_told_to_end_ |= asks_to_end(signal) && action.sa_handler != SIG_IGN;
        return true;
    }

    void handle_signals() {
        if (command_) return command_->handle();
        while (const auto signal = signals_.next())
            if (*signal != SIGCHLD) is_told_to_end_ = true;
    }

    [[nodiscard]] bool is_running() const { return command_ && !command_->status(); }

    // Whether the command has ended although it should still wait for plan.owner: it was killed, or
    // its system calls failed. The token stays taken as long as that process runs.
    [[nodiscard]] bool must_wait_again() const {
        return held_ && !is_running() && !lost_ && !is_told_to_end_ && !held_->has_ended();
    }

    // The owner runs without asking for leave, so the command that waits for it does so, too.
    void wait_again() {
        constexpr auto pause = std::chrono::milliseconds{200};
        if (BootClock::now() < next_start_) return;
        next_start_ = BootClock::now() + pause;
        try {
            run_command(-1);
            keeper_.say(fmt::format("command {}", command_->pid()));
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): tried again at next_start_
        }
    }

    // From now on we hold the token for plan.owner, and our parent may end.
    void hold() {
        outlive_parent();
        (*taken_)(keeper_.place().fence, keeper_.key());
    }

    [[nodiscard]] const cluster::LeaseTimes& times() const { return keeper_.place().times; }

    [[nodiscard]] bool is_over() {
        if (is_running() || must_wait_again()) return false;
        if (!lost_) return true;
        return keeper_.is_gone() || BootClock::now() >= kill_rest_at_ || processes().empty();
    }

    int end() {
        // Processes that the command left behind must not go on without a lease.
        if (lost_) signal(SIGKILL);
        give_back();
        if (lost_) return exit_status::timed_out;
        return command_ ? process::end_as(*command_->status()) : exit_status::done;
    }

    void give_back() {
        // If no answer comes, the lease ends soon, and the keeper goes on trying until then. If the
        // lease is lost, there is nothing to wait for, and the keeper may be stuck.
        constexpr Duration patience = std::chrono::seconds{5};
        give_back(lost_ ? Duration::zero() : patience);
    }
    void give_back(Duration patience) {
        if (!std::exchange(gives_back_, true)) keeper_.give(Deadline::after(patience));
    }

    void wait_for_news() {
        timer_.set(next_moment());
        std::array<pollfd, 3> entries{{{keeper_.fd(), POLLIN, 0},
                                       {command_ ? command_->fd() : signals_.fd(), POLLIN, 0},
                                       {timer_.fd(), POLLIN, 0}}};
        (void)poll_until(entries, Deadline::never());
    }

    [[nodiscard]] std::optional<BootTime> next_moment() const {
        if (is_running()) return next_moment_of_lease();
        if (lost_) return kill_rest_at_;
        return std::min(next_moment_of_lease().value_or(next_start_), next_start_);
    }

    [[nodiscard]] std::optional<BootTime> next_moment_of_lease() const {
        const auto now = BootClock::now();
        constexpr auto between_kills = std::chrono::milliseconds{100};
        const bool kills =
            plan_.on_lost == OnLost::kill || (plan_.on_lost == OnLost::pause && keeper_.is_gone());
        if (keeper_.is_gone() || now >= times().kill_at())
            return kills ? std::optional{now + between_kills} : std::nullopt;
        return now >= times().term_at() ? times().kill_at() : times().term_at();
    }

    // Decides what the lease means for the command now. Call it after hearing the keeper, so that a
    // front that was stopped does not kill a command whose lease was renewed in the meantime.
    void judge() {
        if (!is_running() && (lost_ || !held_)) return;
        if (keeper_.is_gone()) return gone();
        const auto doubt = cluster::doubt_at(times(), BootClock::now());
        const auto before = std::exchange(doubted_, doubt);
        if (doubt == Doubt::none) {
            if (before != Doubt::none && plan_.on_lost == OnLost::pause) go_on();
        } else if (plan_.on_lost == OnLost::kill) {
            if (before != doubt || doubt == Doubt::kill) end_in_doubt(doubt);
        } else if (before == Doubt::none) {
            pause_or_warn();
        }
    }

    void end_in_doubt(Doubt doubt) {
        if (!lost_) say("the lease was not renewed in time: ending the command");
        lost_ = true;
        kill_rest_at_ = times().kill_at();
        keeper_.say("doubt");
        signal(doubt == Doubt::kill ? SIGKILL : SIGTERM);
    }

    void pause_or_warn() {
        if (plan_.on_lost == OnLost::warn)
            return say("the lease was not renewed in time: the command may not be alone");
        say("the lease was not renewed in time: the command is stopped until it is");
        keeper_.say("doubt");
        signal(SIGSTOP);
    }

    void go_on() {
        signal(SIGCONT);
        say("the lease lives: the command goes on");
    }

    void gone() {
        const bool is_told = std::exchange(is_gone_told_, true);
        if (plan_.on_lost == OnLost::warn) {
            if (!is_told) say("the lease is over: the command is not alone any more");
            return;
        }
        if (!is_told) say("the lease is over: the command is killed");
        lost_ = true;
        signal(SIGKILL);
    }

    void say(std::string_view text) const {
        if (plan_.tells_result) cli::diagnose(fmt::format("{}: {}", plan_.wish.keys.text(), text));
    }

    // The processes that have to end when the lease is lost: our children without the keeper. With
    // an owner, the owner and its descendants.
    [[nodiscard]] std::vector<process::Root> processes() {
        if (held_) return held_->family();
        auto children = process::children_of(::getpid());
        std::erase(children, keeper_.pid());
        return process::roots_of(children);
    }

    // Signals them. A process that has changed its user (set-user-ID) may be out of our reach.
    void signal(int signal) {
        const auto result = process::signal_trees(processes(), signal, process::Waking::everybody);
        if (!result.refused.empty() && !std::exchange(is_refusal_told_, true))
            say(fmt::format("no permission to signal process {}: it runs on",
                            result.refused.front()));
    }

    std::string program_;
    std::span<const std::string> words_;
    const cluster::KeeperPlan& plan_;
    const Taken* taken_;
    std::optional<HeldProcess> held_; // plan.owner
    // Take these signals, even as PID 1: we have to give back our place in the queue.
    SignalFd signals_{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD};
    KeeperProcess keeper_;
    BootTimer timer_;
    std::optional<process::Supervised> command_;
    Doubt doubted_ = Doubt::none; // the doubt that we have acted on
    bool lost_ = false;           // the lease was lost, and the command had to end
    bool gives_back_ = false;
    bool is_gone_told_ = false;
    bool is_refusal_told_ = false;
    BootTime kill_rest_at_{};
    bool is_told_to_end_ = false;
    BootTime next_start_{}; // of the command that waits for plan.owner
};

} // namespace

int run_guarded(const Command& command, const cluster::KeeperPlan& plan) {
    return Front{command.program(), command.words(), plan, nullptr}.run();
}

int hold_guarded(const cluster::KeeperPlan& plan, const Taken& taken) {
    const auto& [pid, start] = *plan.owner;
    // This command ends when the owner ends. So a token without a command is guarded in the same
    // way.
    const std::vector<std::string> words{"process-wait", "-e", fmt::format("{}:{}", pid, start)};
    return Front{own_image(), words, plan, &taken}.run();
}

} // namespace ipcbox::front
