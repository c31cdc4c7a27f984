// The processes that use System V objects at this moment, according to /proc (proc(5)): those that
// wait in semop(2), msgrcv(2) or msgsnd(2), and those that have a segment attached. The kernel has
// no other way to name them.
//
// /proc may be missing, belong to another PID namespace, or hide processes from us (hidepid, other
// users). Then a list says that it is incomplete: processes that are not in it are unknown, not
// absent.
#pragma once

#include "core/process_stat.h"
#include "sysv/kernel_objects.h"

#include <functional>
#include <map>
#include <optional>
#include <sys/types.h>
#include <vector>

namespace ipcbox::sysv {

// The facts about a process that matter when another one waits for it.
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

[[nodiscard]] Sight<Waiter> find_waiters();
[[nodiscard]] Sight<Attacher> find_attachers();

// Calls LOOK for each living process that /proc shows. LOOK returns false when it cannot see
// everything that it wants to, and sets ENDED if that is because the process has ended meanwhile.
// Returns whether no process was overlooked.
[[nodiscard]] bool look_at_processes(const std::function<bool(pid_t pid, bool& ended)>& look);
// The text of a file below /proc/PID, for such a LOOK; nothing when we may not read it.
[[nodiscard]] std::optional<std::string> process_text(pid_t pid, std::string_view name,
                                                      bool& ended);

// The object that a line of /proc/PID/syscall waits for: "220 0x1 0x7ffd… …".
[[nodiscard]] std::optional<std::pair<Kind, int>> waited_for(std::string_view line);
// The segments in the lines of /proc/PID/maps, and how often each occurs.
[[nodiscard]] std::map<int, std::uint64_t> attached_in(std::string_view maps);

// Whether a process that did something at a certain time still exists.
enum class Presence { alive, gone, unknown };
// PID started at WHEN or before. 0, a process of another PID namespace, is unknown.
[[nodiscard]] Presence presence_of(pid_t pid, std::time_t when);

} // namespace ipcbox::sysv
