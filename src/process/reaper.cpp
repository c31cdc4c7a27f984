#include "process/reaper.h"

#include "core/error.h"
#include "core/process_stat.h"
#include "core/syscall.h"
#include "process/selection.h"

#include <ctime>
#include <sys/wait.h>

namespace ipcbox::process {

namespace {

// False when there is no such child.
bool wait_for(idtype_t kind, id_t id, siginfo_t& info, int options) {
    while (sys::call("waitid", ::waitid, kind, id, &info, options) < 0) {
        if (errno == ECHILD) return false;
        if (errno != EINTR) throw SysError("wait for", "a child");
    }
    return info.si_pid != 0;
}

double seconds_since_boot() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

} // namespace

std::optional<EndedChild> reap_ended_child() {
    siginfo_t info{};
    if (!wait_for(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT)) return std::nullopt;
    EndedChild child;
    child.pid = info.si_pid;
    // Until we wait for the child, no other process can get its number.
    try {
        if (auto stat = read_process_stat(child.pid)) {
            child.name = std::move(stat->name);
            child.seconds = seconds_since_boot() - ticks_in_seconds(stat->start_ticks);
        }
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch): report the child without a name
    }
    if (!wait_for(P_PID, static_cast<id_t>(child.pid), info, WEXITED | WNOHANG))
        return std::nullopt;
    child.status = WaitStatus::of(info);
    return child;
}

std::optional<int> stop_signal_of(pid_t pid) {
    siginfo_t info{};
    if (!wait_for(P_PID, static_cast<id_t>(pid), info, WSTOPPED | WNOHANG)) return std::nullopt;
    return info.si_status;
}

std::vector<Zombie> all_zombies() {
    std::vector<Zombie> zombies;
    for (const pid_t pid : all_pids()) {
        auto stat = read_process_stat(pid);
        if (!stat || stat->state != 'Z') continue;
        const auto parent = read_process_stat(stat->parent);
        zombies.push_back({pid, std::move(stat->name), stat->parent, parent ? parent->name : ""});
    }
    return zombies;
}

} // namespace ipcbox::process
