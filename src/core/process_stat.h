// /proc/PID/stat, a line of facts about a process: proc(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox {

struct ProcessStat {
    pid_t pid = 0;
    std::string name; // at most 15 bytes of any kind, chosen by the process
    char state = '?'; // R, S, D, T, t, Z, X, I
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    std::uint64_t cpu_ticks = 0; // its own, and those of the children that it waited for
    int threads = 0;
    std::uint64_t start_ticks = 0; // since boot: with the pid, this identifies the process

    // It has ended, and waits for its parent to take notice (Z), or is on its way out (X).
    [[nodiscard]] bool has_ended() const { return state == 'Z' || state == 'X'; }
};

// Nothing when LINE is not such a line.
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view line);

// Nothing when there is no such process, or /proc does not show it to us. Throws SysError.
[[nodiscard]] std::optional<ProcessStat> read_process_stat(pid_t pid);

// The text of a file below /proc/PID, such as "status"; nothing as above. Throws SysError.
[[nodiscard]] std::optional<std::string> read_process_file(pid_t pid, std::string_view name);

// Whether /proc is mounted at all.
[[nodiscard]] bool has_proc();

// Whether /proc shows the processes of our PID namespace. The /proc of another one (`unshare -pf`
// without --mount-proc) has other processes under our numbers. Without our own, the functions above
// know of no process.
[[nodiscard]] bool has_own_proc();
// What is wrong when it does not: "there is no /proc", "/proc shows another PID namespace".
[[nodiscard]] std::string_view no_own_proc_reason();

// Converts a start in ticks to seconds since boot (CLOCK_BOOTTIME).
[[nodiscard]] double ticks_in_seconds(std::uint64_t ticks);

} // namespace ipcbox
