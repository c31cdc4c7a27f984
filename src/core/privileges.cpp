#include "core/privileges.h"

#include "core/error.h"
#include "core/syscall.h"
#include "core/user.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipcbox {

namespace {

template <class Id> bool are_all(const std::array<Id, 3>& ids, Id id) {
    return std::ranges::all_of(ids, [id](Id one) { return one == id; });
}

int set_groups(const std::vector<gid_t>& groups) {
    const auto set = [](std::size_t count, const gid_t* list) {
        return static_cast<int>(::syscall(SYS_setgroups, count, list));
    };
    return sys::call("setgroups", set, groups.size(), groups.data());
}
int set_group(gid_t gid) {
    const auto set = [](gid_t id) {
        return static_cast<int>(::syscall(SYS_setresgid, id, id, id));
    };
    return sys::call("setresgid", set, gid);
}
int set_user(uid_t uid) {
    const auto set = [](uid_t id) {
        return static_cast<int>(::syscall(SYS_setresuid, id, id, id));
    };
    return sys::call("setresuid", set, uid);
}

// A success that leaves a way back is worse than a failure. Kernels, security modules and kept
// capabilities (capabilities(7), SECBIT_KEEP_CAPS) have all caused that.
bool is_irrevocable(uid_t uid, gid_t gid) {
    std::array<uid_t, 3> users{};
    std::array<gid_t, 3> groups{};
    sys::call("getresuid", ::getresuid, users.data(), users.data() + 1, users.data() + 2);
    sys::call("getresgid", ::getresgid, groups.data(), groups.data() + 1, groups.data() + 2);
    if (!are_all(users, uid) || !are_all(groups, gid)) return false;
    if (uid == 0) return true; // a process that stays root has nothing to give up
    return set_user(0) < 0 && (gid == 0 || set_group(0) < 0);
}

int take(const Credentials& credentials) {
    if (set_groups(credentials.groups) < 0 || set_group(credentials.gid) < 0) return -1;
    return set_user(credentials.uid);
}

} // namespace

Credentials credentials_of(uid_t uid, gid_t gid, const std::string& name) {
    auto groups = groups_of(name);
    if (std::ranges::find(groups, gid) == groups.end()) groups.insert(groups.begin(), gid);
    return {uid, gid, std::move(groups)};
}

int take_credentials(const Credentials& credentials) noexcept {
    if (take(credentials) < 0) return -1;
    if (is_irrevocable(credentials.uid, credentials.gid)) return 0;
    errno = EPERM;
    return -1;
}

void become_user(uid_t uid, gid_t gid, const std::string& name) {
    const auto user = name.empty() ? fmt::format("user {}", uid) : fmt::format("user {}", name);
    if (take(credentials_of(uid, gid, name)) < 0) throw SysError("become", user);
    if (!is_irrevocable(uid, gid))
        throw Error(fmt::format("cannot become {}: the old privileges could be regained", user));
}

} // namespace ipcbox
