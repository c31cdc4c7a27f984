// Runs programs where /proc does not show them.
#pragma once

#include "core/sanitizer.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

namespace ipcbox::test {

// Whether a test can run such programs. It needs the right to make namespaces, and a build without
// the address sanitizer, which reads /proc itself.
inline bool can_hide_proc([[maybe_unused]] Scenario& scenario) {
#ifdef IPCBOX_ADDRESS_SANITIZER
    return false;
#else
    if (scenario.run({"unshare", "--mount", "--pid", "--fork", "true"}).status == 0) return true;
    MESSAGE("no namespace of our own");
    return false;
#endif
}

// A shell that runs LINE, with ARGUMENTS as $1 and so on. Its /proc is empty.
inline Words without_proc(const std::string& line, const Words& arguments = {}) {
    Words words{"unshare", "--mount", "sh", "-c", "mount -t tmpfs none /proc && " + line, "sh"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

// COMMAND in a PID namespace of its own, while /proc shows the processes of our namespace.
inline Words with_foreign_proc(const Words& command) {
    Words words{"unshare", "--pid", "--fork", "--kill-child"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

} // namespace ipcbox::test
