// Any process, as proc(5) describes it.
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

// Nothing when there is no such process, or it is a zombie. Throws SysError.
[[nodiscard]] std::optional<ProcessInfo> find_process(pid_t pid);

// Sets the name that ps and proc(5) show for us: the first 15 bytes of NAME.
void set_own_name(const std::string& name);

// "3m12s", "4h", "12d3h": the two largest units.
[[nodiscard]] std::string short_duration(std::chrono::seconds duration);

} // namespace ipcbox
