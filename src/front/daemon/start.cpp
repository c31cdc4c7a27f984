#include "front/daemon/start.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/duration.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/file_lock.h"
#include "core/fork_retry.h"
#include "core/path.h"
#include "core/pidfd.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "front/daemon/plans.h"
#include "process/daemon_keeper.h"
#include "process/lock_holders.h"
#include "process/pid_file.h"
#include "process/readiness.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <unistd.h>

namespace ipcbox::front {

namespace {

using Outcome = process::Readiness::Outcome;

// Keeps a number that the daemon's user chose free of our own descriptors, which the daemon must
// not get.
void reserve(int number) {
    if (cli::is_open(number)) return;
    Fd null = open_file("/dev/null", O_RDWR);
    if (null.get() == number)
        (void)null.release();
    else if (sys::call("dup2", ::dup2, null.get(), number) < 0)
        throw SysError("reserve", "the descriptor of --ready-fd");
}

class Start {
  public:
    Start(const DaemonConfig& config, const Command& command)
        : config_(config), name_(command.words().front()), environment_(Environment::ours()) {
        plan_.program = absolute_path(command.program());
        plan_.arguments.assign(command.words().begin(), command.words().end());
    }

    int run() {
        const int status = start();
        if (stopped_by_ != 0) throw StoppedBySignal(stopped_by_);
        return status;
    }

  private:
    int start() {
        if (config_.ready_fd) reserve(*config_.ready_fd);
        if (config_.pid_file) {
            if (const auto pid = running_daemon()) return refuse(*pid);
            if (const auto pid = take_pid_file()) return refuse(*pid);
            if (!pid_file_) return refuse_locked();
        }
        try {
            if (config_.lock_file && !lock()) {
                clean_up();
                return exit_status::failed;
            }
            launch();
            pid_ = child_.pid();
            id_ = process::find({pid_}).value_or(process::Found{}).identity(pid_).text();
            return finish(readiness_->wait(child_, channel_, *signals_));
        } catch (const Error& error) {
            if (!outcome_) {
                clean_up();
                throw;
            }
            cli::diagnose(error.what()); // only the report failed
            return *outcome_ == exit_status::done ? exit_status::failed : *outcome_;
        }
    }

    // From now on, a signal that asks us to end cancels the start.
    void take_signals() { signals_.emplace({SIGHUP, SIGINT, SIGQUIT, SIGTERM}); }

    // Whether both options name the same file. Then the daemon keeps it locked while it runs.
    [[nodiscard]] bool has_one_file() const {
        return config_.lock_file && config_.lock_file == config_.pid_file;
    }
    [[nodiscard]] Deadline patience() const {
        return Deadline::after(has_one_file() ? Duration::zero() : std::chrono::seconds{30});
    }

    [[nodiscard]] std::optional<pid_t> running_daemon() const {
        const auto running = process::daemon_of(*config_.pid_file);
        return running ? std::optional{running->identity.pid} : std::nullopt;
    }
    // Takes the pid file. If another process has started the daemon in the meantime, returns that
    // daemon. It may keep the file locked, so we look at the file between the attempts. If the file
    // is also the lock, we leave it to the process that has it.
    std::optional<pid_t> take_pid_file() {
        for (const auto end = patience(); !pid_file_;) {
            const auto attempt = Deadline::after(std::chrono::milliseconds{50});
            try {
                pid_file_.emplace(*config_.pid_file, std::min(attempt, end));
            } catch (const TimedOut&) {
                if (const auto pid = running_daemon()) return pid;
                if (has_one_file()) return std::nullopt;
                if (end.passed()) throw;
            }
        }
        return pid_file_->is_empty() ? std::nullopt : running_daemon();
    }

    int refuse(pid_t pid) {
        cli::diagnose(fmt::format("cannot start {}: it is already running: {}", name_,
                                  process::text_of({&pid, 1})));
        return exit_status::failed;
    }

    int refuse_locked() {
        lock_ = open_lock_file(*config_.lock_file, LockKind::exclusive);
        cli::diagnose(locked());
        return exit_status::failed;
    }

    bool lock() {
        if (has_one_file()) {
            held_ = &pid_file_->fd();
            return true;
        }
        lock_ = open_lock_file(*config_.lock_file, LockKind::exclusive);
        held_ = &lock_;
        if (try_lock()) {
            // Release the lock. The daemon takes it again, so that /proc/locks names the daemon.
            unlock(lock_.get(), *config_.lock_file);
            return true;
        }
        cli::diagnose(locked());
        return false;
    }
    [[nodiscard]] bool try_lock() const {
        return lock_until(lock_.get(), LockKind::exclusive, Deadline::after(Duration::zero()),
                          *config_.lock_file);
    }
    [[nodiscard]] std::string locked() const {
        return fmt::format("cannot start {}: {} is locked by {}", name_, *config_.lock_file,
                           process::text_of(process::lock_holders(lock_.get())));
    }

    void launch() {
        plan_.directory = config_.directory;
        plan_.retry = &config_.fork_retry;
        plan_.kept = config_.kept;
        if (config_.user) plan_.user = {config_.user->uid, config_.user->gid, config_.user->name};
        environment_.set_all(config_.environment);
        plan_.environment = &environment_.entries();
        if (config_.background) plan_.place = process::DaemonPlan::Place::group;
        if (config_.needs_keeper())
            launch_kept();
        else
            launch_alone();
    }

    void prepare_readiness() {
        readiness_.emplace(ready_plan(config_));
        if (config_.ready_fd) plan_.handed_over = {readiness_->descriptor(), *config_.ready_fd};
        if (const auto& name = readiness_->socket_name())
            environment_.set("NOTIFY_SOCKET=" + *name);
    }

    // Runs in the new process.
    void take_places() {
        if (lock_ && !try_lock()) throw Error(locked());
        if (pid_file_) pid_file_->write_own();
    }

    void launch_alone() {
        const int flags =
            O_WRONLY | O_CREAT | O_NOCTTY | (config_.appends ? O_APPEND : O_TRUNC | O_APPEND);
        const Fd null = config_.background ? Fd{} : open_file("/dev/null", O_RDWR);
        const Fd output = config_.output ? open_file(*config_.output, flags, new_file_mode) : Fd{};
        const bool is_same = config_.error == config_.output;
        const Fd error =
            config_.error && !is_same ? open_file(*config_.error, flags, new_file_mode) : Fd{};
        plan_.input = plan_.output = plan_.error = null ? null.get() : process::DaemonPlan::same;
        if (output) plan_.output = output.get();
        if (error || (config_.error && is_same)) plan_.error = error ? error.get() : output.get();
        if (held_ != nullptr) {
            set_across_exec(*held_, AcrossExec::keep);
            plan_.kept.push_back(held_->get());
        }
        plan_.before = [this] { take_places(); };
        prepare_readiness();
        take_signals();
        child_ = process::start_daemon(plan_);
    }

    void launch_kept() {
        prepare_readiness();
        const Fd null = open_file("/dev/null", O_RDWR);
        plan_.input = null.get();
        process::KeeperPlan keeper;
        keeper.daemon = plan_;
        keeper.logs = log_plan(config_, name_of(name_));
        keeper.respawn = config_.respawn;
        if (config_.ready_log) keeper.is_ready_line = ready_plan(config_).is_ready_line;
        keeper.kept.push_back(null.get());
        if (held_ != nullptr) keeper.kept.push_back(held_->get());
        keeper.before = [this] { take_places(); };
        if (config_.pid_file)
            keeper.after = [this](Deadline patience) {
                // If the file is also the lock, we have it already. Otherwise our descriptor is
                // closed by now.
                if (has_one_file())
                    pid_file_->remove_if_means(::getpid());
                else
                    process::remove_pid_file(*config_.pid_file, ::getpid(), patience);
            };
        take_signals();
        auto kept = process::start_kept_daemon(std::move(keeper), *signals_);
        child_ = std::move(kept.keeper);
        channel_ = std::move(kept.channel);
    }

    int finish(const Outcome& outcome) {
        using Kind = Outcome::Kind;
        const auto after = rounded_duration(Deadline::Clock::now() - started_);
        if (outcome.kind == Kind::up || outcome.kind == Kind::ready) {
            outcome_ = exit_status::done;
            child_.release();
            if (channel_) process::confirm_start(channel_);
            report(outcome.kind == Kind::up ? "up" : "ready", std::nullopt);
            if (config_.verbosity.verbose)
                cli::diagnose(fmt::format("{} is {} after {}", name_,
                                          outcome.kind == Kind::up ? "up" : "ready", after));
            return exit_status::done;
        }
        int status = exit_status::timed_out;
        std::string_view word = "not ready";
        if (outcome.kind == Kind::ended) {
            word = "ended";
            cli::diagnose(fmt::format("{} ended after {}: {}{}", name_, after,
                                      outcome.status->text(),
                                      config_.background ? "" : advice(*outcome.status)));
            status = outcome.status->as_exit_status();
            // The daemon ended before it was ready, so even status 0 is a failure.
            if (status == 0 && config_.asks_for_readiness()) status = exit_status::failed;
        } else if (outcome.kind == Kind::stopped) {
            word = "interrupted";
            stopped_by_ = outcome.signal;
            status = exit_status::signal_base + outcome.signal;
            cli::diagnose(fmt::format("interrupted by {}: ending {}, which was not up yet",
                                      signal_name(outcome.signal), name_));
            end_daemon();
        } else {
            cli::diagnose(
                fmt::format("{} is not ready after {}: {}", name_, after, outcome.missing));
            if (outcome.kind == Kind::hung_up) status = exit_status::failed;
            end_daemon();
        }
        clean_up();
        outcome_ = status;
        report(word, status);
        return status;
    }

    static std::string_view advice(WaitStatus status) {
        return status.succeeded() ? " (if it becomes a daemon by itself, have it stay in the "
                                    "foreground)"
                                  : "";
    }

    void end_daemon() {
        const auto handle = open_process(pid_); // still its own pid: we have not waited
        if (handle)
            (void)process::end_in_stages({&*handle, 1}, config_.stages,
                                         [](std::size_t, const process::Ending&) {});
    }

    // Leaves no daemon, and no pid file that names none. A program that has become another user may
    // be out of our reach: then it runs on, and has its pid file.
    void clean_up() {
        try {
            if (child_) {
                child_.kill(SIGKILL);
                (void)child_.wait();
            }
            if (pid_file_) pid_file_->remove();
            pid_file_.reset(); // another start may already have a new one
        } catch (const SysError& error) {
            cli::diagnose(fmt::format("cannot end {}, which runs as process {}: {}", name_, pid_,
                                      error_text(error.error())));
        }
    }

    void report(std::string_view outcome, std::optional<int> status) const {
        if (config_.json) {
            cli::JsonLine line;
            line.set("outcome", outcome).set("id", id_);
            if (status) line.set("status", *status);
            line.set("seconds", in_seconds(Deadline::Clock::now() - started_)).print();
        } else if (!status && !config_.verbosity.quiet) {
            cli::print_line("{}", id_);
        }
        cli::flush();
    }

    const DaemonConfig& config_;
    std::string name_;
    Environment environment_;
    process::DaemonPlan plan_;
    std::optional<process::PidFile> pid_file_; // locked until the start has succeeded or failed
    Fd lock_;
    const Fd* held_ = nullptr; // the daemon holds its lock by this descriptor
    std::optional<process::Readiness> readiness_;
    std::optional<SignalFd> signals_; // while we wait for the daemon
    int stopped_by_ = 0;
    Child child_;
    Fd channel_;
    pid_t pid_ = 0;
    std::optional<int> outcome_; // our status, once the start has succeeded or failed
    std::string id_;
    Deadline::Clock::time_point started_ = Deadline::Clock::now();
};

} // namespace

int run_daemon_start(const DaemonConfig& config, const Command& command) {
    return Start{config, command}.run();
}

} // namespace ipcbox::front
