// Which process waits for which: the sets and queues that processes hold or wait for, and the
// deadlocks.
#pragma once

#include "sysv/survey.h"
#include "sysv/wait_graph.h"

#include <string>
#include <vector>

namespace ipcbox::front {

// The lines; empty when no process holds anything or waits.
[[nodiscard]] std::vector<std::string> tree_of(const std::vector<sysv::Entry>& entries,
                                               const sysv::Sight<sysv::Waiter>& sight);

// "deadlock: 812 (sh, root, 3s) waits for sem:1 (@a), which 815 (sh, root, 3s) has; …"
[[nodiscard]] std::string text_of(const std::vector<sysv::Link>& deadlock);
// The same as an object with its line feed.
[[nodiscard]] std::string json_of(const std::vector<sysv::Link>& deadlock);

} // namespace ipcbox::front
