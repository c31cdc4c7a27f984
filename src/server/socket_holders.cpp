#include "server/socket_holders.h"

#include "core/directory.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/process_fds.h"
#include "core/process_stat.h"
#include "core/syscall.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>
#include <optional>
#include <string>
#include <unistd.h>

namespace ipcbox::server {

namespace {

struct Member {
    pid_t group = 0;
    bool is_zombie = false; // it has no descriptors any more
};

// Nothing when the process is gone.
std::optional<Member> find_member(pid_t pid) {
    std::string text;
    try {
        const auto path = fmt::format("/proc/{}/stat", pid);
        constexpr std::size_t max_size = 4096;
        text = read_to_end(open_file(path, O_RDONLY).get(), max_size, path);
    } catch (const Error&) {
        return std::nullopt;
    }
    // "PID (NAME) STATE PARENT GROUP …". NAME can contain any byte.
    std::string_view rest{text};
    rest.remove_prefix(std::min(rest.rfind(')') + 2, rest.size()));
    const bool is_zombie = rest.starts_with('Z') || rest.starts_with('X');
    for (int word = 0; word < 2; ++word)
        rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
    const auto group = whole_number<pid_t>(rest.substr(0, rest.find(' ')));
    return group ? std::optional{Member{*group, is_zombie}} : std::nullopt;
}

// PID is a process, or minus the number of a group. EPERM means that it exists, but we may not
// signal it.
bool exists(pid_t pid) {
    return sys::call("kill", ::kill, pid, 0) == 0 || errno != ESRCH;
}

bool may_have_socket(pid_t pid, const std::string& target) {
    bool has = false;
    const auto view = look_at_descriptors(pid, [&](const auto&, const auto& link) {
        has = link == target || link.empty();
        return !has;
    });
    // A process that changes its user (set-user-ID) vanishes for us if /proc hides other users'
    // processes.
    return has || view == FdView::hidden || (view == FdView::ended && exists(pid));
}

} // namespace

bool group_holds_socket(pid_t group, ino_t socket) {
    if (!exists(-group)) return false;
    const auto target = socket_link(socket);
    const Directory stream{has_own_proc() ? ::opendir("/proc") : nullptr};
    if (!stream) return true;
    bool was_seen = false;
    while (const dirent* entry = ::readdir(stream.get())) {
        const auto pid = whole_number<pid_t>(entry->d_name);
        const auto member = pid ? find_member(*pid) : std::nullopt;
        if (!member || member->group != group) continue;
        was_seen = true;
        if (!member->is_zombie && may_have_socket(*pid, target)) return true;
    }
    // The group exists, but /proc showed none of its processes.
    return !was_seen && exists(-group);
}

} // namespace ipcbox::server
