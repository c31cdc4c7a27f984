#include "process/identity.h"

#include "core/error.h"
#include "core/number.h"
#include "core/pidfd.h"
#include "core/syscall.h"

#include <fmt/core.h>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/statfs.h>

namespace ipcbox::process {
namespace {

// A zombie counts as there.
bool is_there(const Fd& handle) try {
    return try_to_signal(handle, 0);
} catch (const SysError& error) {
    if (error.error() != EPERM) throw;
    return true;
}

} // namespace

std::string Identity::text() const {
    return start ? fmt::format("{}:{}", pid, *start) : fmt::format("{}", pid);
}

Identity parse_identity(std::string_view text) {
    constexpr pid_t max_pid = 4'194'304; // PID_MAX_LIMIT
    const auto colon = text.find(':');
    const auto pid = whole_number<pid_t>(text.substr(0, colon));
    Identity identity;
    if (colon != std::string_view::npos)
        identity.start = whole_number<std::uint64_t>(text.substr(colon + 1));
    if (!pid || *pid < 1 || *pid > max_pid || (colon != std::string_view::npos && !identity.start))
        throw std::invalid_argument("expected the number of a process (PID) or PID:START");
    identity.pid = *pid;
    return identity;
}

Identity Found::identity(pid_t pid) const {
    return {pid, stat ? std::optional{stat->start_ticks} : std::nullopt};
}

std::optional<Found> find(const Identity& identity) {
    auto handle = open_process(identity.pid);
    if (!handle) return std::nullopt;
    // Read this after the handle is open. If the pid was reused in between, the handle belongs to a
    // process that has ended, and no signal reaches it.
    auto stat = read_process_stat(identity.pid);
    if (identity.start && !stat) {
        if (!is_there(*handle)) return std::nullopt; // its parent has just waited for it
        throw Error(
            fmt::format("cannot check {}: /proc does not show that process", identity.text()));
    }
    if (identity.start && *identity.start != stat->start_ticks) return std::nullopt;
    return Found{*std::move(handle), std::move(stat)};
}

std::optional<std::uint64_t> unique_number(const Fd& handle) {
    constexpr long pidfs = 0x50494446;
    struct statfs system {};
    struct stat status {};
    // In older kernels, the handles of all processes had the same inode.
    if (sys::call("fstatfs", ::fstatfs, handle.get(), &system) < 0 || system.f_type != pidfs ||
        sys::call("fstat", ::fstat, handle.get(), &status) < 0)
        return std::nullopt;
    return status.st_ino;
}

bool may_signal(const Fd& handle) try {
    (void)try_to_signal(handle, 0);
    return true;
} catch (const SysError& error) {
    if (error.error() != EPERM) throw;
    return false;
}

} // namespace ipcbox::process
