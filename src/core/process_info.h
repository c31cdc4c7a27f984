// What proc(5) tells about a process of anybody's.
#pragma once

#include "core/deadline.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace ipcbox {

struct ProcessInfo {
    pid_t pid = 0;
    pid_t parent = 0;
    uid_t user = 0;           // the effective one
    bool is_runnable = false; // it runs, or waits for a CPU
    std::string name;         // what ps calls COMMAND: at most 15 bytes, chosen by the process
    std::chrono::system_clock::time_point started;

    // "812 (backup.sh, root, 3m12s)"
    [[nodiscard]] std::string text() const;
};

// Nothing when there is no such process, or it is a zombie.
[[nodiscard]] std::optional<ProcessInfo> find_process(pid_t pid);

// The name that ps and proc(5) show for us from now on: its first 15 bytes.
void set_own_name(const std::string& name);

// "3m12s", "4h", "12d3h": the two largest units.
[[nodiscard]] std::string short_duration(std::chrono::seconds duration);

} // namespace ipcbox
