// A sweep: each system call of an applet fails once, in its turn and with each errno that the
// kernel could return there: the Nth call for N = 1, 2 and so on, until there is none left to fail.
// Whatever fails, the applet ends in time with a status of the contract and at most one line with
// the reason, and leaves everything as it was before.
#pragma once

#include "harness/scenario.h"

#include <initializer_list>
#include <vector>

namespace ipcbox::test {

// What a failure may leave changed.
enum class Failure {
    changes_nothing,
    may_come_late, // the work was done and only its report was lost; doing it again changes nothing
    // The removal itself failed. The next run takes over what is left, and removes it.
    may_leave_to_next_run
};

// In the words, KEY and NAME are the scenario's key and @name, OWNER the number of a process that
// waits for us.
struct Sweep {
    const char* what;
    std::vector<Words> before; // run without faults
    Words command;
    const char* input = "";
    Failure failure = Failure::changes_nothing;
};

// Makes all calls of the commands fail with these names of errno, or, for the campaign
// (IPCBOX_CAMPAIGN=1), with all that the fault injector knows (core/fault.cpp).
void run_sweeps(const std::vector<Sweep>& sweeps, std::initializer_list<const char*> errors);

} // namespace ipcbox::test
