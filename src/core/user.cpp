#include "core/user.h"

#include "core/stdio_file.h"

#include <cstdlib>
#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

namespace ipcbox {

namespace {

template <class Matches> std::optional<User> first_user(Matches matches) {
    const auto file = open_for_reading("/etc/passwd");
    if (!file) return std::nullopt;
    while (const passwd* entry = ::fgetpwent(file.get())) {
        if (!matches(*entry)) continue;
        const std::string_view comment = entry->pw_gecos != nullptr ? entry->pw_gecos : "";
        return User{entry->pw_name, entry->pw_uid,
                    entry->pw_gid,  std::string{comment.substr(0, comment.find(','))},
                    entry->pw_dir,  entry->pw_shell != nullptr ? entry->pw_shell : ""};
    }
    return std::nullopt;
}

} // namespace

std::optional<User> find_user(uid_t uid) {
    return first_user([uid](const passwd& entry) { return entry.pw_uid == uid; });
}

std::optional<User> find_user(std::string_view name) {
    return first_user([name](const passwd& entry) { return entry.pw_name == name; });
}

std::optional<gid_t> find_group(std::string_view name) {
    const auto file = open_for_reading("/etc/group");
    if (!file) return std::nullopt;
    while (const group* entry = ::fgetgrent(file.get()))
        if (entry->gr_name == name) return entry->gr_gid;
    return std::nullopt;
}

std::vector<gid_t> groups_of(std::string_view user) {
    std::vector<gid_t> groups;
    const auto file = open_for_reading("/etc/group");
    while (const group* entry = file ? ::fgetgrent(file.get()) : nullptr)
        for (char** member = entry->gr_mem; *member != nullptr; ++member)
            if (*member == user) groups.push_back(entry->gr_gid);
    return groups;
}

std::string user_name(uid_t uid) {
    const auto user = find_user(uid);
    return user ? user->name : fmt::format("{}", uid);
}

User current_user() {
    const uid_t uid = ::getuid();
    auto user = find_user(uid).value_or(User{fmt::format("{}", uid), uid, ::getgid(), {}, "/", {}});
    if (const char* home = std::getenv("HOME")) user.home = home;
    return user;
}

} // namespace ipcbox
