// Which processes a user means who does not name them by their numbers.
#pragma once

#include "process/identity.h"

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcbox::process {

// What has to be true of a process; what is empty does not matter.
struct Criteria {
    std::optional<pid_t> group;
    std::optional<pid_t> session;
    std::optional<uid_t> user;             // the effective one
    std::optional<std::string> name;       // exactly what ps calls COMMAND, of at most 15 bytes
    std::optional<std::string> executable; // a path; the same file by another path is meant, too

    [[nodiscard]] bool is_empty() const {
        return !group && !session && !user && !name && !executable;
    }
};

// The living processes that meet all of CRITERIA, by ascending pid. Kernel threads and zombies are
// left out. Throws SysError when /proc cannot be read, or EXECUTABLE is not there.
[[nodiscard]] std::vector<Identity> select(const Criteria& criteria);

// The numbers of all processes that /proc shows, ascending. Throws SysError.
[[nodiscard]] std::vector<pid_t> all_pids();

// Whether the process runs the program PATH; nothing when we may not know.
[[nodiscard]] std::optional<bool> runs_program(pid_t pid, const std::string& path);

// The process whose number is in the file: "812" or "812:5829341" and a line feed. Throws Error
// that says what is wrong with the file: empty, a directory, no number.
[[nodiscard]] Identity read_pid_file(const std::string& path);

} // namespace ipcbox::process
