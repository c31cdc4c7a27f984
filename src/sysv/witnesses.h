// The processes that use System V objects at this moment, as /proc shows them (proc(5)): those that
// wait in semop(2), msgrcv(2) or msgsnd(2), and those that have a segment attached. The kernel has
// no other way to tell their names.
//
// /proc may be missing, belong to another PID namespace, or hide processes from us (hidepid, other
// users). Then a list is not complete, and says so: what is not in it is unknown, not absent.
#pragma once

#include "core/process_stat.h"
#include "sysv/kernel_objects.h"

#include <functional>
#include <map>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace ipcbox::sysv {

// A process of the system, as far as somebody may wait for it.
struct Witness {
    pid_t parent = 0;
    std::string name;
    bool waits_for_child = false; // its only thread is in wait4(2) or waitid(2)
    bool has_ended = false;       // a zombie
};

struct Waiter {
    pid_t pid = 0;
    Kind kind = Kind::semaphores;
    int id = 0;
    bool is_only_thread = true;
};

struct Attacher {
    pid_t pid = 0;
    int id = 0;
    std::uint64_t times = 0; // how often it has the segment attached
};

template <class User> struct Sight {
    std::vector<User> users{};
    bool is_complete = false; // no process could be overlooked
    std::map<pid_t, Witness> processes{};
};

// Whether /proc is there and counts processes as we do.
[[nodiscard]] bool has_own_proc();

[[nodiscard]] Sight<Waiter> find_waiters();
[[nodiscard]] Sight<Attacher> find_attachers();

// Calls LOOK for each living process that /proc shows. LOOK returns false when it may not see all
// that it wants to, and says whether that is because the process has ended meanwhile. Returns
// whether no process could be overlooked.
[[nodiscard]] bool look_at_processes(const std::function<bool(pid_t pid, bool& ended)>& look);
// The text of a file below /proc/PID, for that; nothing when we may not read it.
[[nodiscard]] std::optional<std::string> process_text(pid_t pid, std::string_view name,
                                                      bool& ended);

// The object that a line of /proc/PID/syscall waits for: "220 0x1 0x7ffd… …".
[[nodiscard]] std::optional<std::pair<Kind, int>> waited_for(std::string_view line);
// The segments in the lines of /proc/PID/maps, and how often each is there.
[[nodiscard]] std::map<int, std::uint64_t> attached_in(std::string_view maps);

// What has become of a process that is said to have done something at a time.
enum class Presence { alive, gone, unknown };
// PID, which was there at WHEN at the latest. 0, a process of another PID namespace, is unknown.
[[nodiscard]] Presence presence_of(pid_t pid, std::time_t when);

} // namespace ipcbox::sysv
