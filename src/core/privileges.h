// Becoming another user for good: credentials(7).
#pragma once

#include <string>
#include <sys/types.h>

namespace ipcbox {

// Takes the groups of the user NAME (/etc/group) and GID, or GID alone when NAME is empty; then the
// group; then the user. It checks the outcome: every id is the new one, and there is no way back to
// root. Call it before there are threads. Throws SysError when we may not (only root may), and
// Error when the check fails; then the process has to end.
void become_user(uid_t uid, gid_t gid, const std::string& name);

} // namespace ipcbox
