#include "process/daemon.h"

#include "core/child.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/pipe.h"
#include "core/privileges.h"
#include "core/program.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "process/dispositions.h"
#include "process/supervise.h"

#include <algorithm>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::process {

namespace {

// Copies a descriptor. The copy stays open when the program begins.
void put(int from, int to, std::string_view object) {
    if (from != DaemonPlan::same && sys::call("dup2", ::dup2, from, to) < 0)
        throw SysError("hand over", object);
}

// Sets up the new process according to the plan, before the program begins.
void follow(const DaemonPlan& plan, pid_t parent, const Fd& report) {
    if (plan.place == DaemonPlan::Place::session) {
        sys::call("setsid", ::setsid);
        reset_signals();
    } else {
        lead_process_group();
    }
    put(plan.input, STDIN_FILENO, "standard input");
    put(plan.output, STDOUT_FILENO, "standard output");
    put(plan.error, STDERR_FILENO, "standard error");
    if (plan.before) plan.before();
    auto kept = plan.kept;
    if (plan.handed_over) {
        put(plan.handed_over->ours, plan.handed_over->number, "a descriptor");
        kept.push_back(plan.handed_over->number);
    }
    if (plan.user) become_user(plan.user->uid, plan.user->gid, plan.user->name);
    // Change the directory only now: the program's user must be allowed to enter it.
    if (plan.directory && sys::call("chdir", ::chdir, plan.directory->c_str()) < 0)
        throw SysError("go to", *plan.directory);
    // A change of user clears the death signal, so set it afterwards.
    if (plan.death_signal != 0) end_with_parent(parent, plan.death_signal);
    kept.push_back(report.get());
    close_descriptors_except(std::move(kept));
}

} // namespace

Child start_daemon(const DaemonPlan& plan) {
    constexpr std::string_view object = "the new process";
    auto pipe = make_pipe();
    const pid_t parent = ::getpid();
    const PreparedProgram nothing_missing{plan.program, plan.arguments, plan.environment};
    Child child = fork_child(
        [&] {
            try {
                pipe.reader = Fd{};
                follow(plan, parent, pipe.writer);
                auto program = nothing_missing;
                restore_inherited_signals();
                throw_exec_error(plan.program, program.execute());
            } catch (const std::exception& error) {
                write_all(pipe.writer.get(), error_line(error), object);
            }
            return exit_status::cannot_execute;
        },
        plan.retry);
    pipe.writer = Fd{};
    constexpr std::size_t limit = 64UL * 1024;
    // When the program begins, it closes the pipe, and we read an end of file.
    const auto line = read_to_end(pipe.reader.get(), limit, object);
    if (line.empty()) return child;
    child.wait();
    throw_error_line(line);
}

void reset_signals() {
    set_default(parse_signals("all"));
    correct_inherited_signals(signal_set({}));
}

std::string error_line(const std::exception& error) {
    const auto* own = dynamic_cast<const Error*>(&error);
    return fmt::format("{} {}\n", own != nullptr ? own->status() : exit_status::failed,
                       error.what());
}

void throw_error_line(std::string_view line) {
    const auto space = line.find(' ');
    const auto status = whole_number<int>(line.substr(0, space)).value_or(exit_status::failed);
    line.remove_prefix(std::min(space, line.size() - 1) + 1);
    throw Error(std::string{line.substr(0, line.find('\n'))}, status);
}

} // namespace ipcbox::process
