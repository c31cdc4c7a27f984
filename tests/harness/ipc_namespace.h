// Scripts in an IPC namespace of their own, where only their objects are.
#pragma once

#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <string>
#include <unistd.h>

namespace ipcbox::test {

// Only root may make one.
inline bool is_root() {
    if (::geteuid() == 0) return true;
    MESSAGE("not root: no namespace of our own");
    return false;
}

// The pid 1 of the namespace is the script's shell. The result is empty where we may not make one.
inline Result in_namespace(Scenario& scenario, const std::string& script) {
    return scenario.run(
        {"unshare", "--ipc", "--pid", "--fork", "--mount-proc", "sh", "-c", script});
}

} // namespace ipcbox::test
