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
#include "front/ipc/lease_judge.h"
#include "process/supervise.h"
#include "process/tree_signals.h"

#include <array>
#include <csignal>
#include <fmt/core.h>
#include <span>
#include <unistd.h>
#include <utility>

namespace ipcbox::front {

namespace {

class Front {
  public:
    // TAKEN is null unless the plan has an owner.
    Front(std::string program, std::span<const std::string> words, const cluster::KeeperPlan& plan,
          const Taken* taken)
        : program_(std::move(program)), words_(words), plan_(plan), taken_(taken), keeper_(plan),
          lease_(plan.on_lost) {
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
            if (!is_running() && !lease_.is_lost()) continue;
            keeper_.mind(is_running() ? command_->pid() : 0);
            // We may have been stopped since we heard it, and mind() may have heard the last lines
            // of one that has ended.
            keeper_.hear();
            judge();
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
            // Before we look at what it said: it hears the last lines of one that has ended.
            keeper_.mind(0);
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
            while (const auto signal = signals_.next())
                if (*signal != SIGCHLD) return leave_queue(*signal);
            std::array<pollfd, 2> entries{{keeper_.poll_entry(), {signals_.fd(), POLLIN, 0}}};
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
        return held_ && !is_running() && !lease_.is_lost() && !is_told_to_end_ &&
               !held_->has_ended();
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
        if (!lease_.is_lost()) return true;
        return keeper_.is_gone() || BootClock::now() >= lease_.kill_rest_at() ||
               processes().empty();
    }

    int end() {
        // Processes that the command left behind must not go on without a lease.
        if (lease_.is_lost()) signal(SIGKILL);
        give_back();
        if (lease_.is_lost()) return exit_status::timed_out;
        return command_ ? process::end_as(*command_->status()) : exit_status::done;
    }

    void give_back() {
        // If no answer comes, the lease ends soon, and the keeper goes on trying until then. If the
        // lease is lost, there is nothing to wait for, and the keeper may be stuck.
        constexpr Duration patience = std::chrono::seconds{5};
        give_back(lease_.is_lost() ? Duration::zero() : patience);
    }
    void give_back(Duration patience) {
        if (!std::exchange(gives_back_, true)) keeper_.give(Deadline::after(patience));
    }

    void wait_for_news() {
        timer_.set(next_moment());
        std::array<pollfd, 3> entries{{keeper_.poll_entry(),
                                       {command_ ? command_->fd() : signals_.fd(), POLLIN, 0},
                                       {timer_.fd(), POLLIN, 0}}};
        (void)poll_until(entries, Deadline::never());
    }

    [[nodiscard]] std::optional<BootTime> next_moment() const {
        const auto of_lease = lease_.next_moment(times(), lease_state(), BootClock::now());
        if (is_running()) return of_lease;
        if (lease_.is_lost()) return lease_.kill_rest_at();
        return std::min(of_lease.value_or(next_start_), next_start_);
    }

    [[nodiscard]] LeaseState lease_state() const {
        return keeper_.is_gone() ? LeaseState::gone : LeaseState::kept;
    }

    // Does what the lease demands for the command now.
    void judge() {
        if (!is_running() && (lease_.is_lost() || !held_)) return;
        const auto ruling = lease_.judge(times(), lease_state(), BootClock::now());
        // A reader of "the command goes on" finds that it does.
        if (ruling.signal == SIGCONT) signal(SIGCONT);
        if (!ruling.news.empty()) say(ruling.news);
        if (ruling.acts_on_doubt) keeper_.say("doubt");
        if (ruling.signal != 0 && ruling.signal != SIGCONT) signal(ruling.signal);
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
    LeaseJudge lease_;
    BootTimer timer_;
    std::optional<process::Supervised> command_;
    bool gives_back_ = false;
    bool is_refusal_told_ = false;
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
