#include "front/ipc/logout.h"

#include "core/directory.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/syscall.h"
#include "core/text_lines.h"
#include "core/user.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <map>
#include <unistd.h>

namespace ipcbox::front {

namespace {

bool exists(const std::string& path) {
    return sys::call("access", ::access, path.c_str(), F_OK) == 0;
}

std::string text_of(const std::string& path) try {
    constexpr std::size_t limit = 1UL << 20U;
    return read_to_end(open_file(path, O_RDONLY).get(), limit, path);
} catch (const Error&) { // skip a file that we cannot read
    return {};
}

} // namespace

bool removes_ipc(std::string_view configuration, bool before) {
    constexpr std::string_view name = "RemoveIPC=";
    for (TextLines lines{configuration}; const auto line = lines.next();) {
        auto text = trimmed(line->text);
        if (!text.starts_with(name)) continue;
        text.remove_prefix(name.size());
        before = text.empty() || text == "yes" || text == "true" || text == "on" || text == "1";
    }
    return before;
}

bool goes_at_logout(uid_t uid, const std::string& root) {
    constexpr uid_t max_system_user = 999; // SYS_UID_MAX of login.defs(5)
    if (uid <= max_system_user || !exists(root + "/run/systemd/users")) return false;
    if (exists(root + "/var/lib/systemd/linger/" + user_name(uid))) return false;
    bool removes = removes_ipc(text_of(root + "/etc/systemd/logind.conf"), true);
    // Files are read in the order of their names. Of two files with the same name, the one in /etc
    // counts.
    std::map<std::string, std::string> files;
    for (const char* place : {"/etc", "/run", "/usr/lib"}) {
        const auto path = root + place + "/systemd/logind.conf.d";
        const Directory directory{::opendir(path.c_str())};
        while (const auto* entry = directory ? ::readdir(directory.get()) : nullptr)
            if (const std::string name = entry->d_name; name.ends_with(".conf"))
                files.emplace(name, path + "/" + name);
    }
    for (const auto& [name, path] : files)
        removes = removes_ipc(text_of(path), removes);
    return removes;
}

} // namespace ipcbox::front
