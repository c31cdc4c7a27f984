// Becoming another user for good: credentials(7).
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcbox {

// Sets the supplementary groups to those of the user NAME (/etc/group) and GID, or to GID alone
// when NAME is empty; then the group; then the user. It checks that every id is the new one and
// that there is no way back to root. Call it before there are threads. Throws SysError when that is
// not permitted (only root may), and Error when the check fails; then the process has to end.
void become_user(uid_t uid, gid_t gid, const std::string& name);

// A user with their groups, looked up beforehand.
struct Credentials {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
};
// Looks them up as become_user() does.
[[nodiscard]] Credentials credentials_of(uid_t uid, gid_t gid, const std::string& name);

// Becomes that user as become_user() does, in a child between clone(2) and execve(2). Returns -1
// and an errno when that is not permitted, or EPERM when there would be a way back. It neither
// allocates nor throws. It makes the system calls directly, because they change this process alone,
// while the functions of the C library would change all threads of the process that they believe to
// be in, which is the parent.
[[nodiscard]] int take_credentials(const Credentials& credentials) noexcept;

} // namespace ipcbox
