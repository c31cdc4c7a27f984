// Selects processes by other properties than their numbers.
#pragma once

#include "process/identity.h"

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcbox::process {

// The conditions for a process. Empty members always hold.
struct Criteria {
    std::optional<pid_t> group;
    std::optional<pid_t> session;
    std::optional<uid_t> user;             // the effective one
    std::optional<std::string> name;       // exactly what ps calls COMMAND, of at most 15 bytes
    std::optional<std::string> executable; // a path; another path to the same file is equal

    [[nodiscard]] bool is_empty() const {
        return !group && !session && !user && !name && !executable;
    }
};

// The living processes that meet all of CRITERIA, by ascending pid, without kernel threads and
// zombies. Throws SysError when /proc cannot be read, or EXECUTABLE does not exist.
[[nodiscard]] std::vector<Identity> select(const Criteria& criteria);

// The numbers of all processes that /proc shows, ascending. Throws SysError.
[[nodiscard]] std::vector<pid_t> all_pids();

// Whether the process runs the program PATH; nothing when we have no permission to know.
[[nodiscard]] std::optional<bool> runs_program(pid_t pid, const std::string& path);

// The process whose number is in the file: "812" or "812:5829341" and a line feed. Throws an Error
// that says what is wrong with the file: it is empty, a directory, or has no number.
[[nodiscard]] Identity read_pid_file(const std::string& path);
[[nodiscard]] Identity read_pid_file(const Fd& file, const std::string& path); // that PATH named

} // namespace ipcbox::process
