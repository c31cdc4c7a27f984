#include "sysv/witnesses.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/path.h"
#include "core/pidfd.h"
#include "core/process_info.h"
#include "core/syscall.h"
#include "core/words.h"
#include "process/selection.h"
#include "process/tree.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipcbox::sysv {

namespace {

constexpr pid_t kernel_threads = 2; // the parent of all kernel threads

std::string link_target(const std::string& path) {
    std::array<char, 64> target{};
    const auto size = sys::call("readlink", ::readlink, path.c_str(), target.data(), target.size());
    return size < 0 ? std::string{} : std::string{target.data(), static_cast<std::size_t>(size)};
}

// Whether PID is in our IPC namespace. In another one, the same ids mean other objects. Nothing
// when we are not allowed to look.
std::optional<bool> is_of_our_namespace(pid_t pid, const std::string& ours) {
    const auto its = link_target(fmt::format("/proc/{}/ns/ipc", pid));
    if (its.empty() || ours.empty()) return std::nullopt;
    return its == ours;
}

// Calls LOOK(pid, witness, ended) for each process. LOOK returns whether it could see everything.
template <class User, class Look> Sight<User> look_at_all(Look look) {
    Sight<User> sight;
    if (!has_own_proc()) return sight;
    // If hidepid hides other users' processes, it hides process 1 too, unless we are its user.
    sight.is_complete = read_process_stat(1).has_value();
    for (const pid_t pid : process::all_pids()) {
        bool ended = false;
        const auto line = process_text(pid, "stat", ended);
        const auto stat = line ? parse_process_stat(*line) : std::nullopt;
        if (!stat) {
            sight.is_complete &= ended;
            continue;
        }
        if (pid == kernel_threads || stat->parent == kernel_threads) continue;
        Witness witness{stat->parent, stat->name, false, stat->has_ended()};
        ended = witness.has_ended;
        if (!ended && !look(sight, *stat, witness, ended)) sight.is_complete &= ended;
        sight.processes.emplace(pid, std::move(witness));
    }
    return sight;
}

bool is_in_wait(std::string_view line) {
    const auto number = whole_number<long>(take_word(line));
    return number == SYS_wait4 || number == SYS_waitid;
}

bool look_for_waits(Sight<Waiter>& sight, const ProcessStat& stat, Witness& witness, bool& ended,
                    const std::string& ours) {
    const bool is_single = stat.threads == 1;
    for (const pid_t thread : is_single ? std::vector{stat.pid} : process::threads_of(stat.pid)) {
        const auto line = process_text(
            stat.pid, is_single ? "syscall" : fmt::format("task/{}/syscall", thread), ended);
        if (!line && !ended) return false;
        if (!line) continue;
        witness.waits_for_child = is_single && is_in_wait(*line);
        const auto object = waited_for(*line);
        if (!object) continue;
        const auto is_ours = is_of_our_namespace(stat.pid, ours);
        if (!is_ours) return false;
        if (*is_ours) sight.users.push_back({stat.pid, object->first, object->second, is_single});
    }
    return true;
}

} // namespace

std::optional<std::string> process_text(pid_t pid, std::string_view name, bool& ended) try {
    constexpr std::size_t limit = 64UL * 1024 * 1024;
    const auto path = fmt::format("/proc/{}/{}", pid, name);
    return read_to_end(open_file(path, O_RDONLY).get(), limit, path);
} catch (const SysError& error) {
    ended = error.error() == ENOENT || error.error() == ESRCH;
    return std::nullopt;
} catch (const Error&) {
    return std::nullopt;
}

bool look_at_processes(const std::function<bool(pid_t pid, bool& ended)>& look) {
    return look_at_all<pid_t>([&](auto& /*sight*/, const ProcessStat& stat, Witness& /*witness*/,
                                  bool& ended) { return look(stat.pid, ended); })
        .is_complete;
}

std::optional<std::pair<Kind, int>> waited_for(std::string_view line) {
    const auto number = whole_number<long>(take_word(line));
    auto argument = take_word(line);
    if (!argument.starts_with("0x")) return std::nullopt; // such as "running"
    const auto id = whole_number<std::uint64_t>(argument.substr(2), 16);
    if (!number || !id) return std::nullopt;
    switch (*number) {
#ifdef SYS_semop
    case SYS_semop:
#endif
#ifdef SYS_semtimedop
    case SYS_semtimedop:
#endif
        return std::pair{Kind::semaphores, static_cast<int>(*id)};
    case SYS_msgrcv:
    case SYS_msgsnd:
        return std::pair{Kind::messages, static_cast<int>(*id)};
    default:
        return std::nullopt;
    }
}

std::map<int, std::uint64_t> attached_in(std::string_view maps) {
    std::map<int, std::uint64_t> ids;
    // In "7f1c…-7f1c… rw-s 00000000 00:01 32774 /SYSV000004d2 (deleted)", the inode is the id.
    for (auto at = maps.find(" /SYSV"); at != std::string_view::npos;
         at = maps.find(" /SYSV", at + 1)) {
        const auto start = maps.rfind('\n', at) + 1; // of the line; 0 for the first (npos + 1)
        auto line = maps.substr(start, at - start);
        for (int word = 0; word < 4; ++word)
            (void)take_word(line);
        if (const auto id = whole_number<int>(take_word(line))) ++ids[*id];
    }
    return ids;
}

Sight<Waiter> find_waiters() {
    const auto ours = link_target("/proc/self/ns/ipc");
    return look_at_all<Waiter>(
        [&](auto& sight, const ProcessStat& stat, Witness& witness, bool& ended) {
            return look_for_waits(sight, stat, witness, ended, ours);
        });
}

Sight<Attacher> find_attachers() {
    const auto ours = link_target("/proc/self/ns/ipc");
    return look_at_all<Attacher>(
        [&](auto& sight, const ProcessStat& stat, Witness& /*witness*/, bool& ended) {
            const auto maps = process_text(stat.pid, "maps", ended);
            if (!maps) return false;
            const auto attached = attached_in(*maps);
            if (attached.empty()) return true;
            const auto is_ours = is_of_our_namespace(stat.pid, ours);
            if (!is_ours) return false;
            if (*is_ours)
                for (const auto& [id, times] : attached)
                    sight.users.push_back({stat.pid, id, times});
            return true;
        });
}

Presence presence_of(pid_t pid, std::time_t when) try {
    constexpr auto rounding = std::chrono::seconds{2};
    if (pid <= 0) return Presence::unknown;
    if (!open_process(pid)) return Presence::gone;
    if (!has_own_proc()) return Presence::unknown;
    const auto process = find_process(pid);
    if (!process) // it is a zombie, or hidden
        return read_process_stat(pid) ? Presence::gone : Presence::unknown;
    // A process that is younger than the event only has the pid of the one that we look for.
    const auto limit = std::chrono::system_clock::from_time_t(when) + rounding;
    return process->started > limit ? Presence::gone : Presence::alive;
} catch (const SysError&) {
    return Presence::unknown;
}

} // namespace ipcbox::sysv
