#include "core/process_fds.h"

#include "core/directory.h"
#include "core/path.h"
#include "core/process_stat.h"

#include <cerrno>
#include <fmt/core.h>

namespace ipcbox {

FdView look_at_descriptors(
    pid_t pid,
    const std::function<bool(const std::string& number, const std::string& target)>& look) {
    if (!has_own_proc()) return FdView::hidden;
    const auto path = fmt::format("/proc/{}/fd", pid);
    const Directory stream{::opendir(path.c_str())};
    if (!stream) return errno == ENOENT || errno == ESRCH ? FdView::ended : FdView::hidden;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string number = entry->d_name;
        if (number.starts_with('.')) continue;
        if (!look(number, read_link(fmt::format("{}/{}", path, number)).value_or(""))) break;
    }
    return FdView::whole;
}

std::string socket_link(ino_t socket) {
    return fmt::format("socket:[{}]", socket);
}

} // namespace ipcbox
