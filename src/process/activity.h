// What a tree of processes has done so far, to see whether it does anything: /proc/PID/stat and
// /proc/PID/io of proc(5).
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace ipcbox::process {

struct Activity {
    std::uint64_t cpu_ticks = 0;
    std::uint64_t bytes = 0;     // read and written, of files, pipes and sockets alike
    std::uint64_t processes = 0; // a sum over them that another set of processes hardly has

    friend bool operator==(const Activity&, const Activity&) = default;
};

// Of all that descend from ROOT, without it.
[[nodiscard]] Activity activity_below(pid_t root);

// Whether PID, a single process, waits for its standard input: /proc/PID/syscall. False when that
// cannot be found out.
[[nodiscard]] bool waits_for_input(pid_t pid);

} // namespace ipcbox::process
