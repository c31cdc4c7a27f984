// Whether systemd-logind removes a user's System V objects when the user logs out: RemoveIPC= of
// logind.conf(5), which is on unless it is turned off. It spares system users and those that linger
// (loginctl enable-linger).
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::front {

// The value of the last RemoveIPC= in the text of a logind.conf; BEFORE when there is none.
[[nodiscard]] bool removes_ipc(std::string_view configuration, bool before);

// Whether that happens to the objects of user UID, on the system whose files are below ROOT ("" for
// ours). False where logind does not run.
[[nodiscard]] bool goes_at_logout(uid_t uid, const std::string& root = {});

} // namespace ipcbox::front
