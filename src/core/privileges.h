// Becoming another user for good: credentials(7).
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcbox {

// Takes the groups of the user NAME (/etc/group) and GID, or GID alone when NAME is empty; then the
// group; then the user. It checks the outcome: every id is the new one, and there is no way back to
// root. Call it before there are threads. Throws SysError when we may not (only root may), and
// Error when the check fails; then the process has to end.
void become_user(uid_t uid, gid_t gid, const std::string& name);

// A user with all that belongs to them, looked up beforehand.
struct Credentials {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
};
// As become_user() finds them.
[[nodiscard]] Credentials credentials_of(uid_t uid, gid_t gid, const std::string& name);

// Takes them on in a child between clone(2) and execve(2), as become_user() does: -1 and an errno
// when we may not, or (EPERM) when there would be a way back. It neither allocates nor throws, and
// it makes the kernel's own calls, which change this process alone: those of the C library change
// all threads of the process that it believes to be, which is the parent.
[[nodiscard]] int take_credentials(const Credentials& credentials) noexcept;

} // namespace ipcbox
