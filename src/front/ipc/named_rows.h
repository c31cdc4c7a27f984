// POSIX objects and FIFOs as people and programs read them.
#pragma once

#include "front/ipc/rows.h"
#include "sysv/named_objects.h"

#include <string>
#include <vector>

namespace ipcbox::front {

// "value 1, 2 waiting", "4K", "129 bytes".
[[nodiscard]] std::string state_text(const sysv::NamedObject& object);
// "mapped by 812 (make, root, 3m12s)", "nobody", "unknown".
[[nodiscard]] std::string users_text(const sysv::NamedObject& object);

// The table, with a line of titles; nothing for no objects.
[[nodiscard]] std::vector<std::string> table_of(const std::vector<sysv::NamedObject>& objects,
                                                UserNames& users);
// One object for -J, with its line feed.
[[nodiscard]] std::string json_of(const sysv::NamedObject& object, UserNames& users);

} // namespace ipcbox::front
