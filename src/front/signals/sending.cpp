#include "front/signals/sending.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/duration.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/pidfd.h"
#include "core/process_info.h"
#include "core/process_stat.h"
#include "core/signals.h"
#include "process/tree_signals.h"
#include "process/watch.h"

#include <exception>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

// A process that is going to get a signal.
struct Target {
    process::Identity identity;
    Fd handle;
    std::string name;
    bool is_reached = false; // the signal was sent

    [[nodiscard]] std::string text() const {
        return name.empty() ? fmt::format("{}", identity.pid)
                            : fmt::format("{} ({})", identity.pid, name);
    }
};

class Sending {
  public:
    explicit Sending(const SendPlan& plan) : plan_(plan) {}

    int run() {
        for (const auto& identity : asked())
            add(identity);
        if (plan_.dry_run) {
            for (const auto& target : targets_)
                show(target);
        } else if (plan_.stages) {
            escalate();
        } else {
            if (plan_.tree)
                send_to_trees();
            else
                send();
            if (plan_.wait && !wait()) return exit_status::timed_out;
        }
        return has_failed_ ? exit_status::failed : exit_status::done;
    }

  private:
    std::vector<process::Identity> asked() {
        if (plan_.pid_file) return {read_pid_file()};
        if (plan_.criteria.is_empty()) return plan_.processes;
        auto found = process::select(plan_.criteria);
        // Leave these out without a word, because the user did not give their numbers.
        std::erase_if(found, [this](const process::Identity& identity) {
            return (!plan_.force && (identity.pid == ::getpid() || identity.pid == 1)) ||
                   (plan_.except_self && identity.pid == ::getppid());
        });
        if (found.empty()) fail("no process is selected");
        return found;
    }

    process::Identity read_pid_file() const {
        auto identity = process::read_pid_file(*plan_.pid_file);
        if (!plan_.program) return identity;
        const auto matches = process::runs_program(identity.pid, *plan_.program);
        if (matches && *matches) return identity;
        throw Error(fmt::format("cannot signal {}: it {} {}", identity.pid,
                                matches ? "does not run" : "cannot be seen to run",
                                *plan_.program));
    }

    void fail(std::string_view text) {
        has_failed_ = true;
        cli::diagnose(text);
    }

    void add(const process::Identity& identity) {
        if (!plan_.force && (identity.pid == 1 || identity.pid == ::getpid()))
            return fail(fmt::format("cannot signal {}: it is {}, which needs --force",
                                    identity.text(),
                                    identity.pid == 1 ? "process 1" : "signal-send itself"));
        auto found = process::find(identity);
        if (!found) return fail(fmt::format("cannot signal {}: no such process", identity.text()));
        targets_.push_back({found->identity(identity.pid), std::move(found->handle),
                            found->stat ? found->stat->name : ""});
    }

    void show(const Target& target) const {
        const auto info = find_process(target.identity.pid);
        if (plan_.json)
            cli::JsonLine{}
                .set("pid", target.identity.pid)
                .set("id", target.identity.text())
                .set("name", target.name)
                .print();
        else
            cli::print_line("{} {}", target.identity.text(), info ? info->text() : target.text());
    }

    void tell(const Target& target, int signal) {
        if (plan_.json)
            cli::JsonLine{}
                .set("pid", target.identity.pid)
                .set("signal", signal_name(signal))
                .set_flag("sent", true)
                .print();
        if (plan_.verbosity.verbose)
            cli::diagnose(fmt::format("sent {} to {}", signal_name(signal), target.text()));
    }

    // The report comes after all signals, because it can fail.
    void send() {
        for (auto& target : targets_)
            try {
                target.is_reached = plan_.value
                                        ? queue_signal(target.handle, plan_.signal, *plan_.value)
                                        : try_to_signal(target.handle, plan_.signal);
                if (!target.is_reached)
                    fail(fmt::format("cannot signal {}: no such process", target.text()));
            } catch (const SysError& error) {
                fail(fmt::format("cannot signal {}: {}", target.text(), error_text(error.error())));
            }
        for (const auto& target : targets_)
            if (target.is_reached) tell(target, plan_.signal);
    }

    void send_to_trees() {
        if (!has_own_proc())
            return fail(fmt::format("cannot find the descendants: {}", no_own_proc_reason()));
        std::vector<process::Root> roots;
        for (const auto& target : targets_)
            roots.push_back({target.identity.pid, target.identity.start.value_or(0)});
        const auto result =
            process::signal_trees(roots, plan_.signal, process::Waking::those_we_stopped);
        for (const pid_t pid : result.refused)
            fail(fmt::format("cannot signal {}: {}", pid, error_text(EPERM)));
        if (plan_.json)
            cli::JsonLine{}
                .set("signal", signal_name(plan_.signal))
                .set("processes", result.signalled)
                .print();
        if (plan_.verbosity.verbose)
            cli::diagnose(fmt::format("sent {} to {} processes", signal_name(plan_.signal),
                                      result.signalled));
    }

    // False when time is up.
    bool wait() {
        const Deadline deadline = Deadline::after_or_never(plan_.wait);
        process::Watch watch;
        for (std::size_t number = 0; number < targets_.size(); ++number)
            watch.add(std::move(targets_[number].handle), number);
        std::vector<bool> has_ended(targets_.size());
        while (watch.left() > 0)
            if (!watch.wait(deadline,
                            [&](std::size_t number, auto) { has_ended[number] = true; })) {
                for (std::size_t number = 0; number < targets_.size(); ++number)
                    if (!has_ended[number])
                        cli::diagnose(
                            fmt::format("timed out: {} is still running", targets_[number].text()));
                return false;
            }
        return true;
    }

    void escalate() {
        std::vector<Fd> handles;
        for (auto& target : targets_)
            handles.push_back(std::move(target.handle));
        std::exception_ptr lost_report;
        const auto endings = process::end_in_stages(
            handles, *plan_.stages, [&](std::size_t number, const process::Ending& ending) {
                try {
                    tell_end(targets_[number], ending);
                } catch (const SysError&) { // the others have to end all the same
                    lost_report = std::current_exception();
                }
            });
        for (std::size_t number = 0; number < endings.size(); ++number)
            if (!endings[number].has_ended && endings[number].failure.empty())
                fail(fmt::format("{} survived {}", targets_[number].text(),
                                 process::stages_text(*plan_.stages)));
        if (lost_report) std::rethrow_exception(lost_report);
    }

    void tell_end(const Target& target, const process::Ending& ending) {
        if (!ending.failure.empty())
            return fail(fmt::format("cannot signal {}: {}", target.text(), ending.failure));
        if (plan_.json)
            cli::JsonLine{}
                .set("pid", target.identity.pid)
                .set("ended_by", ending.signal != 0 ? signal_name(ending.signal) : "")
                .set("seconds", std::chrono::duration<double>{ending.after}.count())
                .print();
        else if (!plan_.verbosity.quiet)
            cli::print_line("{} {}", target.text(),
                            ending.signal != 0
                                ? fmt::format("ended by {} after {}", signal_name(ending.signal),
                                              rounded_duration(ending.after))
                                : "had ended already");
        cli::flush();
    }

    const SendPlan& plan_;
    std::vector<Target> targets_;
    bool has_failed_ = false;
};

} // namespace

int send_signals(const SendPlan& plan) {
    constexpr std::size_t handles = 65'536; // enough for a handle of each process
    (void)raise_descriptor_limit(handles);
    return Sending{plan}.run();
}

} // namespace ipcbox::front
