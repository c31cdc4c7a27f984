#include "front/ipc/guarded_run.h"

#include "cli/output.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "core/program.h"
#include "core/signals.h"
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
        // Both guards need /proc to find the processes of the command.
        if (!has_own_proc())
            throw Error(fmt::format("cannot guard {}: {}", words_.front(), no_own_proc_reason()),
                        exit_status::before_command);
    }

    int run() try {
        process::adopt_orphans();
        // Take these signals, even as PID 1: we have to give back our place in the queue.
        SignalFd signals{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD};
        keeper_.start(0);
        do {
            if (const auto status = wait_for_token(signals)) return *status;
        } while (!start_command());
        while (!is_over()) {
            wait_for_news();
            keeper_.hear();
            // Judge before a CONT is passed on, because a command whose lease is over must not
            // continue.
            judge();
            command_->handle();
            if (keeper_.pid() == 0) keeper_.mind(command_->status() ? 0 : command_->pid());
        }
        return end();
    } catch (const Error&) {
        command_.reset(); // this kills the command
        give_back();
        throw;
    }

  private:
    // Nothing when we have the token; otherwise our exit status.
    std::optional<int> wait_for_token(SignalFd& signals) {
        for (;;) {
            keeper_.hear();
            if (const auto& end = keeper_.end()) {
                give_back(std::chrono::seconds{1});
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
            command_.emplace(program_, words_, std::move(plan));
            if (taken_ != nullptr) hold();
            return true;
        } catch (const LeaveRefused&) {
            keeper_.replace();
            return false;
        }
    }

    // From now on we hold the token for plan.owner, and our parent may end.
    void hold() {
        outlive_parent();
        (*taken_)(keeper_.place().fence, keeper_.key());
    }

    [[nodiscard]] const cluster::LeaseTimes& times() const { return keeper_.place().times; }

    [[nodiscard]] bool is_over() {
        if (!command_->status()) return false;
        if (!lost_) return true;
        return keeper_.is_gone() || BootClock::now() >= kill_rest_at_ || processes().empty();
    }

    int end() {
        // Processes that the command left behind must not go on without a lease.
        if (lost_) signal(SIGKILL);
        give_back();
        return lost_ ? exit_status::timed_out : process::end_as(*command_->status());
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

    // Decides what the lease means for the command now. Call it after hearing the keeper, so that a
    // front that was stopped does not kill a command whose lease was renewed in the meantime.
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

    // The processes that have to end when the lease is lost: our children without the keeper. With
    // an owner, the owner and its descendants at the time when we first looked.
    [[nodiscard]] std::vector<process::Root> processes() {
        if (plan_.owner) {
            const auto& [pid, start] = *plan_.owner;
            if (family_.empty()) {
                family_ = process::roots_of(process::descendants_of(pid));
                family_.push_back(*plan_.owner);
            }
            std::erase_if(family_, [](const process::Root& root) {
                const auto stat = read_process_stat(root.pid);
                return !stat || stat->has_ended() || stat->start_ticks != root.start_ticks;
            });
            return family_;
        }
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
    KeeperProcess keeper_;
    BootTimer timer_;
    std::optional<process::Supervised> command_;
    Doubt doubted_ = Doubt::none; // the doubt that we have acted on
    bool lost_ = false;           // the lease was lost, and the command had to end
    bool gives_back_ = false;
    bool is_gone_told_ = false;
    bool is_refusal_told_ = false;
    BootTime kill_rest_at_{};
    std::vector<process::Root> family_; // see processes()
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
