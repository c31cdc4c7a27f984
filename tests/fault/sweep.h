// A sweep: one system call after another of an applet fails once, with each errno that the kernel
// could return there. That is the Nth call for N = 1, 2 and so on, until no call is left to fail.
// Whatever fails, the applet ends in time with a status of the contract and at most one line that
// says why, and leaves everything as it was before.
#pragma once

#include "harness/scenario.h"

#include <functional>
#include <initializer_list>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcbox::test {

// What a failure may leave changed.
enum class Failure {
    changes_nothing,
    // The work may be done and only its report lost. A second run changes nothing then.
    may_come_late,
    // The removal itself may fail. The next run takes over what is left, and removes it.
    may_leave_to_next_run,
    // Many things are made, and all but one may be there. The next run makes the rest.
    may_do_a_part
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

// Our children that run. Orphans come to us.
[[nodiscard]] std::vector<pid_t> running_children();

// The names of errno for a sweep: USUAL, or in the campaign (IPCBOX_CAMPAIGN=1) everything that the
// fault injector knows (fault/failures.cpp). SHORT means a transfer of one byte.
std::vector<const char*> swept_errors(std::initializer_list<const char*> usual);

// Calls FAILS_SOMEWHERE with the faults "*=ERROR@1", "*=ERROR@2" and so on for each error, until it
// returns false because no call was left to fail; then with "@child1" and so on. Returns how many
// calls failed.
int sweep_calls(const std::vector<const char*>& errors,
                const std::function<bool(const std::string& fault)>& fails_somewhere);

// Makes each call of the commands fail with each of the swept errors.
void run_sweeps(const std::vector<Sweep>& sweeps, std::initializer_list<const char*> errors);

} // namespace ipcbox::test
