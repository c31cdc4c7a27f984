#include "core/privileges.h"

#include "core/error.h"
#include "core/syscall.h"
#include "core/user.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <grp.h>
#include <unistd.h>

namespace ipcbox {

namespace {

template <class Id> bool are_all(const std::array<Id, 3>& ids, Id id) {
    return std::ranges::all_of(ids, [id](Id one) { return one == id; });
}

// A success that leaves a way back is worse than a failure: kernels, security modules and
// capabilities that stay (capabilities(7), SECBIT_KEEP_CAPS) have all been the reason for one.
bool is_irrevocable(uid_t uid, gid_t gid) {
    std::array<uid_t, 3> users{};
    std::array<gid_t, 3> groups{};
    sys::call("getresuid", ::getresuid, users.data(), users.data() + 1, users.data() + 2);
    sys::call("getresgid", ::getresgid, groups.data(), groups.data() + 1, groups.data() + 2);
    if (!are_all(users, uid) || !are_all(groups, gid)) return false;
    if (uid == 0) return true; // who stays root has nothing to give up
    constexpr uid_t root = 0;
    return sys::call("setresuid", ::setresuid, root, root, root) < 0 &&
           (gid == 0 || sys::call("setresgid", ::setresgid, root, root, root) < 0);
}

} // namespace

void become_user(uid_t uid, gid_t gid, const std::string& name) {
    const auto user = name.empty() ? fmt::format("user {}", uid) : fmt::format("user {}", name);
    auto groups = groups_of(name);
    if (std::ranges::find(groups, gid) == groups.end()) groups.insert(groups.begin(), gid);
    const auto set_groups = [](std::size_t count, const gid_t* list) {
        return ::setgroups(count, list);
    };
    if (sys::call("setgroups", set_groups, groups.size(),
                  static_cast<const gid_t*>(groups.data())) < 0 ||
        sys::call("setresgid", ::setresgid, gid, gid, gid) < 0 ||
        sys::call("setresuid", ::setresuid, uid, uid, uid) < 0)
        throw SysError("become", user);
    if (!is_irrevocable(uid, gid))
        throw Error(fmt::format("cannot become {}: what we were could be had back", user));
}

} // namespace ipcbox
