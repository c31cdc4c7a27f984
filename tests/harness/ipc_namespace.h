// Runs scripts in an IPC namespace of their own, which has only their objects.
#pragma once

#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <string>
#include <unistd.h>

namespace ipcbox::test {

// Only root may make a namespace.
inline bool is_root() {
    if (::geteuid() == 0) return true;
    MESSAGE("not root: no namespace of our own");
    return false;
}

// The script's shell has pid 1 in the namespace. The result is empty if we may not make one.
inline Result in_namespace(Scenario& scenario, const std::string& script) {
    return scenario.run(
        {"unshare", "--ipc", "--pid", "--fork", "--mount-proc", "sh", "-c", script});
}

} // namespace ipcbox::test
