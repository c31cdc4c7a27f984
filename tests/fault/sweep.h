// A sweep: one system call after another of an applet fails once, with each errno that the kernel
// could return there. That is the Nth call for N = 1, 2 and so on, until no call is left to fail.
// Whatever fails, the applet ends in time with a status of the contract and at most one line that
// says why, and leaves everything as it was before.
#pragma once

#include "harness/scenario.h"

#include <initializer_list>
#include <vector>

namespace ipcbox::test {

// What a failure may leave changed.
enum class Failure {
    changes_nothing,
    // The work may be done and only its report lost. A second run changes nothing then.
    may_come_late,
    // The removal itself may fail. The next run takes over what is left, and removes it.
    may_leave_to_next_run
};

// Where the command runs: without a terminal, or on one of its own except for standard error.
enum class Place { pipes, terminal };

// In the words, KEY and NAME become the scenario's key and @name, and OWNER becomes the pid of a
// process that waits for us.
struct Sweep {
    const char* what;
    std::vector<Words> before; // these run first, without faults
    Words command;
    const char* input = "";
    Failure failure = Failure::changes_nothing;
    Place place = Place::pipes;
};

// Makes each call of the commands fail with these names of errno. In the campaign
// (IPCBOX_CAMPAIGN=1), it fails with everything that the fault injector knows (core/fault.cpp).
void run_sweeps(const std::vector<Sweep>& sweeps, std::initializer_list<const char*> errors);

} // namespace ipcbox::test
