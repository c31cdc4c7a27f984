// Users and groups, from /etc/passwd and /etc/group. We read the files ourselves (fgetpwent(3)),
// because a static glibc would have to load the system's NSS plug-ins, which bring in a second
// libc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace ipcbox {

struct User {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string full_name; // the first part of the comment field (passwd(5))
    std::string home;
    std::string shell; // the program that they log in to
};

// Nothing when the file has no such entry.
[[nodiscard]] std::optional<User> find_user(uid_t uid);
[[nodiscard]] std::optional<User> find_user(std::string_view name);
[[nodiscard]] std::optional<gid_t> find_group(std::string_view name);

// The groups that have USER as a member: the supplementary ones, without the group in the user's
// own entry.
[[nodiscard]] std::vector<gid_t> groups_of(std::string_view user);

// The name of a user, or the number when there is no such user.
[[nodiscard]] std::string user_name(uid_t uid);

// The entry of our real uid, with $HOME as its home if that is set, as in a shell. Without an
// entry, a user whose name is the number.
[[nodiscard]] User current_user();

} // namespace ipcbox
