// The identity of a process. A pid alone may belong to another process by now. "PID:START" always
// means the same process: START is field 22 of /proc/PID/stat, the ticks since boot at which it was
// started.
#pragma once

#include "core/fd.h"
#include "core/process_stat.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::process {

struct Identity {
    pid_t pid = 0;
    std::optional<std::uint64_t> start{};

    // "812" or "812:5829341".
    [[nodiscard]] std::string text() const;
    friend bool operator==(const Identity&, const Identity&) = default;
};

// Throws std::invalid_argument with what was expected.
[[nodiscard]] Identity parse_identity(std::string_view text);

// A process that exists.
struct Found {
    Fd handle; // pidfd_open(2)
    // Empty when /proc does not show it to us: then the start could not be checked.
    std::optional<ProcessStat> stat;

    // Its pid and its start, if that is known.
    [[nodiscard]] Identity identity(pid_t pid) const;
};

// Nothing when there is no such process, or its pid belongs to another one now. A zombie is found.
// Throws SysError; Error when a start was given and /proc hides it, because no process must be
// signalled by mistake.
[[nodiscard]] std::optional<Found> find(const Identity& identity);

// A number that no other process gets until the machine is started again: the inode of its handle
// in pidfs, since Linux 6.9. Nothing with an older kernel.
[[nodiscard]] std::optional<std::uint64_t> unique_number(const Fd& handle);

// Whether we could signal it (EPERM).
[[nodiscard]] bool may_signal(const Fd& handle);

} // namespace ipcbox::process
