#include "front/ipc/guarded_run.h"

#include "cli/output.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/poll.h"
#include "core/signals.h"
#include "front/ipc/keeper_process.h"
#include "process/supervise.h"
#include "process/tree.h"

#include <array>
#include <csignal>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

using cluster::Doubt;
using cluster::OnLost;

class Front {
  public:
    Front(const Command& command, const cluster::KeeperPlan& plan)
        : words_(command), plan_(plan), keeper_(plan) {}

    int run() {
        process::adopt_orphans();
        // On a signal we have to give back the place in the queue, even when we are PID 1.
        SignalFd signals{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD};
        keeper_.start(0);
        do {
            if (const auto status = wait_for_token(signals)) return *status;
        } while (!start_command());
        while (!is_over()) {
            wait_for_news();
            keeper_.hear();
            // This comes before a CONT is passed on: a command whose lease is over must not go on.
            judge();
            command_->handle();
            if (keeper_.pid() == 0) keeper_.mind(command_->status() ? 0 : command_->pid());
        }
        return end();
    }

  private:
    // Nothing when we have the token; otherwise our exit status.
    std::optional<int> wait_for_token(SignalFd& signals) {
        for (;;) {
            keeper_.hear();
            if (const auto& end = keeper_.end()) {
                keeper_.give(Deadline::after(std::chrono::seconds{1}));
                if (end->status == exit_status::before_command)
                    throw Error(end->reason, end->status);
                if (!end->reason.empty()) cli::diagnose(end->reason);
                return end->status;
            }
            if (keeper_.has_token()) return std::nullopt;
            keeper_.mind(0);
            while (const auto signal = signals.next())
                if (*signal != SIGCHLD) return leave_queue(*signal);
            std::array<pollfd, 2> entries{{{keeper_.fd(), POLLIN, 0}, {signals.fd(), POLLIN, 0}}};
            (void)poll_until(entries, Deadline::never());
        }
    }

    // The keeper gives back our place even if we do not wait for it, so a short time is enough.
    int leave_queue(int signal) {
        constexpr auto patience = std::chrono::milliseconds{30};
        keeper_.give(Deadline::after(patience));
        return process::end_as(WaitStatus::killed(signal, false));
    }

    // False when the command got no leave to run: meanwhile the lease or its keeper was lost.
    bool start_command() {
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
        plan.leave = keeper_.leave();
        plan.leave_patience =
            std::max<Duration>(times().term_at() - BootClock::now(), Duration::zero());
        plan.on_end = [this](const process::EndedChild& child) { keeper_.child_ended(child.pid); };
        try {
            command_.emplace(words_.program(), words_.words(), std::move(plan));
            return true;
        } catch (const LeaveRefused&) {
            keeper_.replace();
            return false;
        } catch (const Error&) {
            give_back();
            throw;
        }
    }

    [[nodiscard]] const cluster::LeaseTimes& times() const { return keeper_.place().times; }

    [[nodiscard]] bool is_over() const {
        if (!command_->status()) return false;
        if (!lost_) return true;
        return keeper_.is_gone() || BootClock::now() >= kill_rest_at_ || other_children().empty();
    }

    int end() {
        // Processes that the command has left behind must not go on without a lease.
        if (lost_) signal(SIGKILL);
        give_back();
        return lost_ ? exit_status::timed_out : process::end_as(*command_->status());
    }

    void give_back() {
        // Without an answer the lease runs out soon, and the keeper goes on trying until then. It
        // may be stuck when the lease was lost, and there is nothing left to wait for.
        constexpr Duration patience = std::chrono::seconds{5};
        keeper_.give(Deadline::after(lost_ ? Duration::zero() : patience));
    }

    void wait_for_news() {
        timer_.set(next_moment());
        std::array<pollfd, 3> entries{
            {{keeper_.fd(), POLLIN, 0}, {command_->fd(), POLLIN, 0}, {timer_.fd(), POLLIN, 0}}};
        (void)poll_until(entries, Deadline::never());
    }

    [[nodiscard]] std::optional<BootTime> next_moment() const {
        const auto now = BootClock::now();
        if (command_->status()) return kill_rest_at_;
        constexpr auto between_kills = std::chrono::milliseconds{100};
        const bool kills =
            plan_.on_lost == OnLost::kill || (plan_.on_lost == OnLost::pause && keeper_.is_gone());
        if (keeper_.is_gone() || now >= times().kill_at())
            return kills ? std::optional{now + between_kills} : std::nullopt;
        return now >= times().term_at() ? times().kill_at() : times().term_at();
    }

    // What the lease means for the command now. The keeper was heard before, so that a front that
    // was stopped does not kill a command whose lease was renewed meanwhile.
    void judge() {
        if (command_->status()) return;
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

    // Our children, without the keeper.
    [[nodiscard]] std::vector<pid_t> other_children() const {
        auto children = process::children_of(::getpid());
        std::erase(children, keeper_.pid());
        return children;
    }

    void signal(int signal) const {
        (void)process::signal_trees(process::roots_of(other_children()), signal,
                                    process::Waking::everybody);
    }

    const Command& words_;
    const cluster::KeeperPlan& plan_;
    KeeperProcess keeper_;
    BootTimer timer_;
    std::optional<process::Supervised> command_;
    Doubt doubted_ = Doubt::none; // what we have acted on
    bool lost_ = false;           // and the command had to end
    bool is_gone_told_ = false;
    BootTime kill_rest_at_{};
};

} // namespace

int run_guarded(const Command& command, const cluster::KeeperPlan& plan) {
    return Front{command, plan}.run();
}

} // namespace ipcbox::front
