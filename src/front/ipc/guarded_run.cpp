#include "front/ipc/guarded_run.h"

#include "cli/border.h"
#include "cli/output.h"
#include "cluster/guard_channel.h"
#include "core/child.h"
#include "core/environment.h"
#include "core/number.h"
#include "core/poll.h"
#include "core/process_stat.h"
#include "core/signals.h"
#include "core/socket_pair.h"
#include "core/words.h"
#include "process/supervise.h"
#include "process/tree.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

using cluster::Doubt;
using cluster::OnLost;

// The program ends without the keeper only if something is badly wrong: it crashes each time.
constexpr int max_keepers = 100;

class Front {
  public:
    Front(const Command& command, const cluster::KeeperPlan& plan)
        : command_words_(command), plan_(plan) {}

    int run() {
        process::adopt_orphans();
        // TERM has to give the place in the queue back, and to be PID 1 must not change that.
        SignalFd signals{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD};
        start_keeper();
        for (;;) {
            if (const auto status = wait_for_token(signals)) return *status;
            if (start_command()) break;
        }
        while (!is_over()) {
            wait_for_news();
            hear_keeper();
            // Before a CONT is passed on: a command whose lease is over must not work on.
            judge();
            command_->handle();
            mind_keeper();
        }
        end_rest();
        give_back();
        if (lost_ && plan_.on_lost != OnLost::warn) return exit_status::timed_out;
        return process::end_as(*command_->status());
    }

  private:
    void start_keeper() {
        if (++keepers_ > max_keepers)
            throw Error("cannot keep the lease: its keeper ends again and again");
        auto lines = make_socket_pair();
        auto leave = make_socket_pair();
        cluster::KeeperStart start;
        start.place = place_;
        start.front = ::getpid();
        if (command_ && !command_->status()) start.command = command_->pid();
        keeper_ = fork_child([&] {
            // Whoever reads our output, or waits for our locks, must not wait for the keeper.
            close_descriptors_except({lines.theirs.get(), leave.theirs.get()});
            for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; ++standard)
                let_go_of(standard, "a standard descriptor");
            return cli::guarded([&] {
                return cluster::keep_lease(plan_, start, std::move(lines.theirs),
                                           std::move(leave.theirs));
            });
        });
        keeper_pid_ = keeper_.pid();
        channel_ = cluster::GuardChannel{std::move(lines.ours)};
        leave_ = std::move(leave.ours);
    }

    // Nothing when we have the token; otherwise what we end with.
    std::optional<int> wait_for_token(SignalFd& signals) {
        is_inside_ = false;
        for (;;) {
            hear_keeper();
            if (end_) {
                (void)keeper_.wait_until(Deadline::after(std::chrono::seconds{1}));
                keeper_.release();
                if (end_->status == exit_status::before_command)
                    throw Error(end_->reason, end_->status);
                if (!end_->reason.empty()) cli::diagnose(end_->reason);
                return end_->status;
            }
            if (is_inside_) return std::nullopt;
            mind_keeper();
            while (const auto signal = signals.next())
                if (*signal != SIGCHLD) return leave_queue(*signal);
            std::array<pollfd, 2> entries{{{channel_.fd(), POLLIN, 0}, {signals.fd(), POLLIN, 0}}};
            (void)poll_until(entries, Deadline::never());
        }
    }

    // The keeper gives our place back even if we do not wait for it: so a short time is enough.
    int leave_queue(int signal) {
        constexpr auto patience = std::chrono::milliseconds{30};
        wait_until_given(Deadline::after(patience));
        keeper_.release();
        return process::end_as(WaitStatus::killed(signal, false));
    }

    // False when it got no leave to run, since the lease was lost meanwhile.
    bool start_command() {
        Environment environment = Environment::ours();
        const auto fence = fmt::format("{}", place_.fence);
        environment.set("IPCBOX_SEM_KEY=" + key_);
        environment.set("IPCBOX_SEM_FENCE=" + fence);
        environment.set("ETCD_LOCK_KEY=" + key_);
        environment.set("ETCD_LOCK_REV=" + fence);
        process::SupervisePlan plan;
        plan.reach = process::SupervisePlan::Reach::command;
        plan.extent = process::SupervisePlan::Extent::tree;
        plan.group = process::SupervisePlan::Group::ours;
        plan.environment = &environment.entries();
        plan.leave = leave_.get();
        plan.leave_patience =
            std::max<Duration>(place_.times.term_at() - BootClock::now(), Duration::zero());
        plan.on_end = [this](const process::EndedChild& child) {
            if (child.pid != keeper_pid_) return;
            keeper_.release();
            keeper_pid_ = 0;
        };
        try {
            command_.emplace(command_words_.program(), command_words_.words(), std::move(plan));
        } catch (const LeaveRefused&) {
            // The lease was lost, or its keeper: another one finds out. This one may still give
            // leave to a command that does not wait for it any more.
            if (keeper_) keeper_.kill(SIGKILL);
            if (keeper_) keeper_.wait();
            keeper_pid_ = 0;
            hear_keeper();
            start_keeper();
            return false;
        } catch (const Error&) {
            give_back();
            throw;
        }
        return true;
    }

    void hear_keeper() {
        while (const auto line = channel_.next()) {
            std::string_view text = *line;
            const auto verb = take_until(text, ' ');
            if (verb == "note")
                cli::diagnose(text);
            else if (verb == "lease")
                hear_place(text);
            else if (verb == "inside")
                hear_inside(text);
            else if (verb == "renewed")
                hear_renewed(text);
            else if (verb == "gone")
                is_gone_ = true;
            else if (verb == "end")
                hear_end(text);
            else if (verb == "given")
                is_given_ = true;
        }
    }

    void hear_place(std::string_view text) {
        place_.entry.lease = whole_number<std::int64_t>(take_until(text, ' ')).value_or(0);
        place_.entry.revision = whole_number<std::int64_t>(text).value_or(0);
        place_.fence = 0;
    }

    void hear_inside(std::string_view text) {
        place_.fence = whole_number<std::int64_t>(take_until(text, ' ')).value_or(0);
        key_ = text;
        is_inside_ = true;
    }

    void hear_renewed(std::string_view text) {
        cluster::update(place_.times, text);
        place_.times.grace = plan_.grace.value_or(cluster::default_grace_of(place_.times.ttl));
    }

    void hear_end(std::string_view text) {
        const auto status = whole_number<int>(take_until(text, ' '));
        end_ = End{status.value_or(exit_status::before_command), std::string{text}};
    }

    // Starts another one when it was killed.
    void mind_keeper() {
        if (keeper_pid_ != 0 && !command_)
            if (const auto ended = keeper_.reap_if_ended()) keeper_pid_ = 0;
        if (keeper_pid_ != 0) return;
        hear_keeper(); // its last words
        if (is_given_ || is_gone_ || end_) return;
        start_keeper();
    }

    [[nodiscard]] bool is_over() const {
        if (!command_->status()) return false;
        if (!lost_ || plan_.on_lost == OnLost::warn) return true;
        return is_gone_ || BootClock::now() >= kill_rest_at_ || other_children().empty();
    }

    void wait_for_news() {
        timer_.set(next_moment());
        std::array<pollfd, 3> entries{
            {{channel_.fd(), POLLIN, 0}, {command_->fd(), POLLIN, 0}, {timer_.fd(), POLLIN, 0}}};
        if (keeper_pid_ == 0) entries[0].fd = -1;
        (void)poll_until(entries, Deadline::never());
    }

    [[nodiscard]] std::optional<BootTime> next_moment() const {
        const auto now = BootClock::now();
        if (command_->status()) return kill_rest_at_;
        constexpr auto between_kills = std::chrono::milliseconds{100};
        if (is_gone_ || now >= place_.times.kill_at())
            return plan_.on_lost == OnLost::kill || (is_gone_ && plan_.on_lost != OnLost::warn)
                       ? std::optional{now + between_kills}
                       : std::nullopt;
        return now >= place_.times.term_at() ? place_.times.kill_at() : place_.times.term_at();
    }

    // What the lease means for the command now. The keeper was heard before, so that a front that
    // was stopped does not kill a command whose lease was renewed meanwhile.
    void judge() {
        if (command_->status()) return;
        if (is_gone_) return gone();
        const auto doubt = cluster::doubt_at(place_.times, BootClock::now());
        if (doubt == Doubt::none) {
            if (doubted_ == Doubt::none) return;
            doubted_ = Doubt::none;
            if (plan_.on_lost == OnLost::pause) {
                signal(SIGCONT);
                say("the lease lives: the command goes on");
                lost_ = false;
            }
            return;
        }
        const bool is_new = doubted_ != doubt;
        if (plan_.on_lost == OnLost::kill) {
            if (is_new)
                doubt_and_end(doubt);
            else if (doubt == Doubt::kill)
                signal(SIGKILL);
        } else if (doubted_ == Doubt::none) {
            pause_or_warn();
        }
        doubted_ = doubt;
    }

    void doubt_and_end(Doubt doubt) {
        if (!lost_) say("the lease was not renewed in time: ending the command");
        lost_ = true;
        kill_rest_at_ = place_.times.kill_at();
        channel_.say("doubt");
        signal(doubt == Doubt::kill ? SIGKILL : SIGTERM);
    }

    void pause_or_warn() {
        if (plan_.on_lost == OnLost::pause) {
            say("the lease was not renewed in time: the command is stopped until it is");
            channel_.say("doubt");
            signal(SIGSTOP);
        } else {
            say("the lease was not renewed in time: the command may not be alone");
        }
    }

    void gone() {
        if (plan_.on_lost == OnLost::warn) {
            if (!lost_) say("the lease is over: the command is not alone any more");
            lost_ = true;
            return;
        }
        if (!lost_ || doubted_ == Doubt::none) say("the lease is over: the command is killed");
        doubted_ = Doubt::kill;
        lost_ = true;
        signal(SIGKILL);
    }

    void say(std::string_view text) const {
        if (plan_.tells_result) cli::diagnose(fmt::format("{}: {}", plan_.wish.keys.text(), text));
    }

    // Our children, without the keeper.
    [[nodiscard]] std::vector<pid_t> other_children() const {
        auto children = process::children_of(::getpid());
        std::erase(children, keeper_pid_);
        return children;
    }

    void signal(int signal) const {
        std::vector<process::Root> roots;
        for (const auto child : other_children())
            if (const auto stat = read_process_stat(child))
                roots.push_back({child, stat->start_ticks});
        (void)process::signal_trees(roots, signal, process::Waking::everybody);
    }

    // What the command has started and left behind must not work on without a lease.
    void end_rest() const {
        if (lost_ && plan_.on_lost != OnLost::warn) signal(SIGKILL);
    }

    void give_back() {
        if (lost_) {
            // It may be stuck, and there is nothing left to wait for.
            channel_.say("give");
            keeper_.release();
            return;
        }
        // Without an answer the lease runs out soon, and the keeper tries on until then.
        constexpr auto patience = std::chrono::seconds{5};
        wait_until_given(Deadline::after(patience));
        keeper_.release();
    }

    void wait_until_given(Deadline deadline) {
        channel_.say("give");
        for (;;) {
            hear_keeper();
            if (is_given_ || end_ || deadline.passed()) return;
            if (channel_.is_ended()) {
                // It was killed. Another one gives the token back.
                keeper_.release();
                keeper_pid_ = 0;
                if (place_.entry.lease == 0) return;
                start_keeper();
                channel_.say("give");
            }
            (void)wait_for(channel_.fd(), POLLIN, deadline);
        }
    }

    struct End {
        int status = 0;
        std::string reason;
    };

    const Command& command_words_;
    const cluster::KeeperPlan& plan_;
    Child keeper_;
    pid_t keeper_pid_ = 0; // 0: it has ended
    int keepers_ = 0;
    cluster::GuardChannel channel_;
    Fd leave_;
    BootTimer timer_;
    cluster::TokenPlace place_;
    std::string key_; // of our entry
    bool is_inside_ = false;
    bool is_given_ = false;
    bool is_gone_ = false;
    std::optional<End> end_;
    std::optional<process::Supervised> command_;
    Doubt doubted_ = Doubt::none; // what we have acted on
    bool lost_ = false;           // and the command had to end
    BootTime kill_rest_at_{};
};

} // namespace

int run_guarded(const Command& command, const cluster::KeeperPlan& plan) {
    return Front{command, plan}.run();
}

} // namespace ipcbox::front
