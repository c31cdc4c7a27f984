// Becoming another user for good: credentials(7).
#pragma once

#include <string>
#include <sys/types.h>

namespace ipcbox {

// Gives up what we are: the groups of the user NAME (/etc/group) and GID, or GID alone when NAME is
// empty; then the group; then the user. What is left has been checked: every id is the new one, and
// root cannot be had back. To be called before there are threads. Throws SysError when we may not
// (only root may), Error when it did not hold; then there is nothing to do but to end.
void become_user(uid_t uid, gid_t gid, const std::string& name);

} // namespace ipcbox
