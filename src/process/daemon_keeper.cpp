#include "process/daemon_keeper.h"

#include "core/duration.h"
#include "core/error.h"
#include "core/fork_retry.h"
#include "core/io.h"
#include "core/path.h"
#include "core/poll.h"
#include "core/signals.h"
#include "core/socket_pair.h"
#include "core/syscall.h"
#include "process/supervise.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::process {

namespace {

constexpr std::string_view channel_name = "the process that started us";
constexpr std::string_view up_line = "up\n";
constexpr std::string_view ready_line = "ready\n";
constexpr std::string_view ended_line = "ended\n";
constexpr std::string_view refused_word = "refused ";
constexpr char content = 'c';

class Keeper {
  public:
    Keeper(KeeperPlan& plan, Fd& channel)
        : plan_(plan), channel_(channel), signals_(signals_to_pass()),
          logs_(plan.logs, plan.is_ready_line ? on_line() : nullptr),
          name_(name_of(plan.daemon.program)) {
        plan_.daemon.place = DaemonPlan::Place::group;
        plan_.daemon.output = logs_.output();
        plan_.daemon.error = logs_.error();
        plan_.daemon.death_signal = SIGKILL;
        if (plan_.respawn) respawn_.emplace(*plan_.respawn);
    }

    // Starts the first daemon. If that fails, the whole start fails.
    void begin() {
        ForkRetry retry;
        if (plan_.daemon.retry != nullptr) retry = *plan_.daemon.retry;
        // Report each refusal. If nobody waits for us any more, this throws and so ends the
        // attempts.
        retry.on_refusal = [this](int error) {
            write_all(channel_.get(), fmt::format("{}{}\n", refused_word, error), channel_name);
        };
        plan_.daemon.retry = &retry;
        start();
        plan_.daemon.retry = nullptr; // for later starts, the respawn makes the pauses
        tell(up_line);
        // The next daemon has nobody to report to.
        if (auto& handed_over = plan_.daemon.handed_over) {
            nowhere_ = open_file("/dev/null", O_RDWR);
            Fd::adopt(handed_over->ours).close("a descriptor");
            handed_over->ours = nowhere_.get();
        }
    }

    int run() {
        while (!is_over_) {
            const auto outputs = logs_.fds();
            std::array entries{pollfd{signals_.fd(), POLLIN, 0}, pollfd{outputs[0], POLLIN, 0},
                               pollfd{outputs[1], POLLIN, 0},
                               pollfd{is_starting_ ? channel_.get() : -1, POLLIN, 0}};
            (void)poll_until(entries, restart_);
            logs_.read(child_.pid());
            if (entries.back().revents != 0) hear_verdict();
            handle_signals();
            if (!is_over_ && restart_.passed()) start_again();
        }
        return status_.as_exit_status();
    }

    void note(std::string_view text) { logs_.note(text); }
    [[nodiscard]] bool is_starting() const { return is_starting_; }
    // How long our last work may wait for a lock. When the process that started us dismisses us, it
    // holds the locks, tidies up itself, and waits for our end. Then we must not wait.
    [[nodiscard]] Deadline patience() const {
        return Deadline::after(was_dismissed_ ? Duration::zero() : std::chrono::seconds{1});
    }

  private:
    std::function<void(std::string_view)> on_line() {
        return [this](std::string_view line) {
            if (is_starting_ && plan_.is_ready_line(line)) tell(ready_line);
        };
    }

    void tell(std::string_view line) noexcept {
        try {
            write_all(channel_.get(), line, channel_name);
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): nobody waits for the line
        }
    }

    // Reads the verdict of the process that started us. It is content, or has ended, or dismisses
    // us because the daemon ended too early.
    void hear_verdict() {
        bool is_content = false;
        try {
            std::byte letter{};
            is_content = read_some(channel_.get(), {&letter, 1}, channel_name) == 1;
        } catch (const SysError&) { // NOLINT(bugprone-empty-catch): that process has ended
        }
        is_starting_ = false;
        channel_ = Fd{};
        if (!awaits_verdict_) return;
        if (is_content)
            start_later();
        else
            is_over_ = was_dismissed_ = true;
    }

    void start() {
        child_ = start_daemon(plan_.daemon);
        started_ = Respawn::Clock::now();
    }

    void start_again() {
        restart_ = Deadline::never();
        try {
            start();
        } catch (const Error& error) {
            note(error.what());
            status_ = WaitStatus::exited(error.status());
            plan_restart(Respawn::Clock::now());
        }
    }

    void handle_signals() {
        while (const auto event = signals_.next_event()) {
            const int signal = event->number;
            if (signal == SIGCHLD) {
                look_at_children();
                continue;
            }
            if (event->is_of_own_write()) continue; // our own write to a log caused it
            if (signal == SIGHUP) logs_.reopen();
            if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT) {
                is_ending_ = true;
                if (!child_) is_over_ = true;
            }
            if (child_) child_.kill(signal);
            if (child_ && is_ending_) child_.kill(SIGCONT); // for a daemon that is stopped
        }
    }

    void look_at_children() {
        while (const auto change = next_child_change())
            if (change->pid == child_.pid() && change->end) end(*change->end);
    }

    void end(WaitStatus status) {
        logs_.read(child_.pid());
        child_.release();
        status_ = status;
        if (is_ending_ || !respawn_) {
            is_over_ = true;
        } else if (is_starting_) {
            awaits_verdict_ = true;
            tell(ended_line);
        } else {
            start_later();
        }
    }

    void start_later() {
        note(fmt::format("{} ended: {}", name_, status_.text()));
        plan_restart(started_);
    }

    void plan_restart(Respawn::Time started) {
        const auto pause = respawn_->after(started, Respawn::Clock::now());
        if (!pause) {
            note(fmt::format("{} ended too often, and is not started again", name_));
            is_over_ = true;
            return;
        }
        note(fmt::format("starting {} again in {}", name_, rounded_duration(*pause)));
        restart_ = Deadline::after(*pause);
    }

    KeeperPlan& plan_;
    Fd& channel_;
    SignalFd signals_;
    DaemonLogs logs_;
    std::string name_;
    std::optional<Respawn> respawn_;
    Fd nowhere_;
    Child child_;
    Respawn::Time started_{};
    Deadline restart_ = Deadline::never();
    WaitStatus status_ = WaitStatus::exited(0);
    bool is_starting_ = true;
    bool awaits_verdict_ = false;
    bool was_dismissed_ = false;
    bool is_ending_ = false;
    bool is_over_ = false;
};

// Gives us standard descriptors and a directory of our own. Closes everything else that the plan
// does not keep.
void dissociate(const KeeperPlan& plan, const Fd& channel) {
    detach_from_session();
    reset_signals();
    auto kept = plan.kept;
    kept.insert(kept.end(), plan.daemon.kept.begin(), plan.daemon.kept.end());
    if (plan.daemon.handed_over) kept.push_back(plan.daemon.handed_over->ours);
    kept.push_back(channel.get());
    close_descriptors_except(std::move(kept));
}

int keep(KeeperPlan& plan, Fd channel) {
    std::optional<Keeper> keeper;
    bool is_begun = false;
    try {
        if (plan.before) plan.before();
        dissociate(plan, channel);
        keeper.emplace(plan, channel);
        keeper->begin();
        is_begun = true;
        const int status = keeper->run();
        if (plan.after && !keeper->is_starting()) plan.after(keeper->patience());
        return status;
    } catch (const std::exception& error) {
        if (is_begun)
            keeper->note(error.what());
        else
            write_all(channel.get(), error_line(error), channel_name);
    }
    return exit_status::before_command;
}

} // namespace

void confirm_start(const Fd& channel) noexcept {
    sys::call("send", ::send, channel.get(), static_cast<const void*>(&content), sizeof content,
              MSG_NOSIGNAL);
}

namespace {

// The next line of the keeper, with its line feed. If the line feed is missing, the keeper has
// ended. Throws StoppedBySignal.
std::string next_line(const Fd& channel, SignalFd& signals) {
    std::string line;
    while (!line.ends_with('\n')) {
        std::array entries{pollfd{channel.get(), POLLIN, 0}, pollfd{signals.fd(), POLLIN, 0}};
        (void)poll_until(entries, Deadline::never());
        if (const auto signal = signals.next()) throw StoppedBySignal(*signal);
        if (entries[0].revents == 0) continue;
        char letter = 0;
        const auto into = std::as_writable_bytes(std::span{&letter, 1});
        if (read_some(channel.get(), into, "the keeper") == 0) break;
        line += letter;
    }
    return line;
}

// The last line with which the keeper reports its start.
std::string start_line(const Fd& channel, const ForkRetry* retry, SignalFd& signals) {
    for (;;) {
        auto line = next_line(channel, signals);
        if (!line.starts_with(refused_word)) return line;
        retry->on_refusal(std::atoi(line.c_str() + refused_word.size()));
    }
}

} // namespace

KeptDaemon start_kept_daemon(KeeperPlan plan, SignalFd& signals) {
    auto pair = make_socket_pair();
    Child keeper = fork_child(
        [&] {
            pair.ours = Fd{};
            return keep(plan, std::move(pair.theirs));
        },
        plan.daemon.retry);
    pair.theirs = Fd{};
    std::string line;
    try {
        line = start_line(pair.ours, plan.daemon.retry, signals);
    } catch (const Error&) {
        keeper.kill(SIGKILL); // and the kernel kills its daemon
        keeper.wait();
        throw;
    }
    if (line == up_line) return {std::move(keeper), std::move(pair.ours)};
    const auto status = keeper.wait();
    if (line.empty()) throw Error(fmt::format("the keeper ended: {}", status.text()));
    throw_error_line(line);
}

} // namespace ipcbox::process
