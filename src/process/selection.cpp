#include "process/selection.h"

#include "core/directory.h"
#include "core/error.h"
#include "core/file_identity.h"
#include "core/io.h"
#include "core/number.h"
#include "core/syscall.h"
#include "core/words.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/core.h>
#include <stdexcept>
#include <sys/stat.h>

namespace ipcbox::process {

namespace {

std::optional<struct stat> file_at(const std::string& path) {
    struct stat status {};
    if (sys::call("stat", ::stat, path.c_str(), &status) < 0) return std::nullopt;
    return status;
}

bool meets(const Criteria& criteria, const ProcessStat& stat,
           const std::optional<struct stat>& program) {
    constexpr pid_t kernel_threads = 2; // the parent of all kernel threads
    if (stat.has_ended() || stat.pid == kernel_threads || stat.parent == kernel_threads)
        return false;
    if (criteria.group && stat.group != *criteria.group) return false;
    if (criteria.session && stat.session != *criteria.session) return false;
    if (criteria.name && stat.name != *criteria.name) return false;
    if (criteria.user) {
        const auto owner = file_at(fmt::format("/proc/{}", stat.pid));
        if (!owner || owner->st_uid != *criteria.user) return false;
    }
    if (!program) return true;
    const auto own = file_at(fmt::format("/proc/{}/exe", stat.pid));
    return own && FileIdentity{*own} == FileIdentity{*program};
}

} // namespace

std::vector<pid_t> all_pids() {
    if (!has_own_proc())
        throw Error(fmt::format("cannot find the processes: {}", no_own_proc_reason()));
    const Directory directory{::opendir("/proc")};
    if (directory == nullptr) throw SysError("read", "/proc");
    std::vector<pid_t> pids;
    while (const auto* entry = ::readdir(directory.get()))
        if (const auto pid = whole_number<pid_t>(entry->d_name)) pids.push_back(*pid);
    std::ranges::sort(pids);
    return pids;
}

std::vector<Identity> select(const Criteria& criteria) {
    std::optional<struct stat> program;
    if (criteria.executable) {
        program = file_at(*criteria.executable);
        if (!program) throw SysError("find", *criteria.executable);
    }
    std::vector<Identity> found;
    for (const pid_t pid : all_pids())
        if (const auto stat = read_process_stat(pid); stat && meets(criteria, *stat, program))
            found.push_back({pid, stat->start_ticks});
    return found;
}

std::optional<bool> runs_program(pid_t pid, const std::string& path) {
    const auto own =
        has_own_proc() ? file_at(fmt::format("/proc/{}/exe", pid)) : std::optional<struct stat>{};
    if (!own) return std::nullopt;
    const auto program = file_at(path);
    return program && FileIdentity{*own} == FileIdentity{*program};
}

Identity read_pid_file(const std::string& path) {
    return read_pid_file(open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY), path);
}

Identity read_pid_file(const Fd& file, const std::string& path) {
    constexpr std::size_t limit = 4096;
    const std::string text = read_to_end(file.get(), limit, path);
    // Only the first word counts: some daemons write more. Postfix writes blanks before it.
    std::string_view left = text;
    const auto word = take_word(left);
    if (word.empty()) throw Error(fmt::format("cannot use {}: it contains no process id", path));
    try {
        return parse_identity(word);
    } catch (const std::invalid_argument&) {
        throw Error(fmt::format("cannot use {}: it does not begin with a process id", path));
    }
}

} // namespace ipcbox::process
