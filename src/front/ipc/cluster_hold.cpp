#include "front/ipc/cluster_hold.h"

#include "cli/border.h"
#include "cli/json.h"
#include "core/child.h"
#include "core/error.h"
#include "core/io.h"
#include "core/number.h"
#include "core/pidfd.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/process_info.h"
#include "core/process_stat.h"
#include "core/words.h"
#include "front/ipc/guarded_run.h"
#include "sysv/holders.h"

#include <csignal>
#include <fmt/core.h>
#include <unistd.h>
#include <utility>

namespace ipcbox::front {

namespace {

constexpr std::string_view pipe_name = "a pipe";
constexpr std::string_view busy = "busy\n";
constexpr std::string_view failed = "failed ";

// The name of the process. With the longest pid it has 15 bytes, the kernel's limit.
std::string name_of_holder(pid_t owner) {
    return fmt::format("hold:{}", owner);
}

void tell(Pipe& pipe, std::string_view line) {
    write_all(pipe.writer.get(), line, pipe_name);
    pipe.writer = Fd{};
}

// The life of the process that keeps a token for OWNER. It writes one line to PIPE and closes it.
// The line has the fence and the key when it has the token, or "busy" when no token was free in
// time, or "failed" and the reason. The reason cannot go to standard error, which may be closed.
int hold(const ClusterTaking& taking, const process::Root& owner, Pipe& pipe) try {
    pipe.reader = Fd{};
    close_descriptors_except(pipe.writer);
    set_own_name(name_of_holder(owner.pid));
    const auto process = find_process(owner.pid);
    auto entry = cluster::TokenEntry::ours(process ? process->name : "");
    entry.keeper = std::exchange(entry.pid, owner.pid);
    auto plan = keeper_plan(taking, entry);
    plan.owner = owner;
    const int status = hold_guarded(plan, [&](etcd::Revision fence, const std::string& key) {
        tell(pipe, fmt::format("{} {}\n", fence, key));
    });
    if (pipe.writer) tell(pipe, busy);
    return status;
} catch (Error& error) {
    if (error.status() == exit_status::before_command) error.set_status(exit_status::failed);
    if (pipe.writer) tell(pipe, fmt::format("{}{}\n", failed, error.what()));
    return error.status();
}

// What that process has written.
struct Report {
    bool is_taken = false;
    bool is_busy = false;
    etcd::Revision fence = 0;
    std::string place;
    std::string failure;
};

Report read_report(const Fd& reader) {
    constexpr std::size_t max_line = 1UL << 16U;
    const auto line = read_to_end(reader.get(), max_line, pipe_name);
    Report report;
    if (!line.ends_with('\n')) return report;
    report.is_busy = line == busy;
    std::string_view text{line.data(), line.size() - 1};
    if (text.starts_with(failed)) {
        report.failure = text.substr(failed.size());
    } else if (!report.is_busy) {
        const auto fence = whole_number<etcd::Revision>(take_until(text, ' '));
        report.is_taken = fence.has_value();
        report.fence = fence.value_or(0);
        report.place = text;
    }
    return report;
}

void print(const Report& report, const std::string& key) {
    cli::JsonLine line;
    line.set("key", key).set_flag("taken", report.is_taken);
    if (report.is_taken) line.set("fence", report.fence).set("place", report.place);
    line.print();
}

} // namespace

int take_for_process(const ClusterTaking& taking, pid_t owner) {
    const auto stat = read_process_stat(owner);
    if (!stat || stat->has_ended())
        throw Error(fmt::format("cannot hold for {}: {}", owner,
                                has_own_proc() ? "no such process" : no_own_proc_reason()));
    Pipe pipe = make_pipe();
    Child holder = fork_child([&, parent = ::getpid()] {
        end_with_parent(parent);
        return cli::guarded([&] { return hold(taking, {owner, stat->start_ticks}, pipe); });
    });
    pipe.writer = Fd{};
    const auto report = read_report(pipe.reader);
    try {
        if (taking.json && (report.is_taken || report.is_busy)) print(report, taking.key);
    } catch (const Error&) {
        // End it, because we are about to fail. A script does not give a token back after sem-take
        // has failed.
        if (report.is_taken) holder.kill(SIGTERM);
        holder.wait();
        throw;
    }
    if (!report.is_taken) {
        const int status = holder.wait().as_exit_status();
        if (!report.failure.empty()) throw Error(report.failure, status);
        return status;
    }
    holder.release();
    return exit_status::done;
}

bool give_back_of_ancestor(const cluster::TokenSetState& set) {
    for (std::size_t at = 0; at < set.taken(); ++at) {
        const auto& entry = set.queue[at].entry;
        if (entry.keeper == 0 || !entry.is_of_this_host()) continue;
        const auto owner = static_cast<pid_t>(entry.pid);
        const auto keeper = static_cast<pid_t>(entry.keeper);
        const auto handle = open_process(keeper);
        const auto process = find_process(keeper);
        if (!handle || !process || process->name != name_of_holder(owner) ||
            !sysv::is_self_or_ancestor(owner))
            continue;
        send_signal(*handle, SIGTERM);
        return wait_for(handle->get(), POLLIN, Deadline::after(etcd_patience));
    }
    return false;
}

} // namespace ipcbox::front
