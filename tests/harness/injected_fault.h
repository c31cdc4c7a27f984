// One fault in the calls of the commands that a test starts (fault/plan.h).
#pragma once

#include "harness/environment.h"
#include "harness/scenario.h"

#include <filesystem>
#include <functional>
#include <string>

namespace ipcbox::test {

// Does WORK with FAULT in the environment of the commands that it starts. Returns a line "CALL:
// ERROR\n" for each call that failed. Empty when no call was left to fail.
[[nodiscard]] inline std::string with_fault(const Scenario& scenario, const std::string& fault,
                                            const std::function<void()>& work) {
    // The mark is outside the working directory, whose content some tests compare.
    constexpr const char* name = "../mark";
    std::filesystem::remove(scenario.path(name));
    {
        const Variable which{"IPCBOX_FAULT", fault};
        const Variable where{"IPCBOX_FAULT_MARK", scenario.path(name)};
        work();
    }
    return scenario.exists(name) ? scenario.read_file(name) : std::string{};
}

} // namespace ipcbox::test
