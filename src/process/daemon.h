// Starting a program as a daemon, independent of us in every respect as in "Complete Dissociation
// of Child from Parent" of perlipc, or merely in the background. setsid(2), daemon(3),
// close_range(2).
#pragma once

#include "core/child.h"

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcbox::process {

struct DaemonPlan {
    // session: a session of its own, without a terminal; all signals have their default actions,
    // and none is blocked. group: a process group of its own; everything else as ours.
    enum class Place { session, group };
    struct User {
        uid_t uid = 0;
        gid_t gid = 0;
        std::string name; // may be empty, see become_user()
    };
    // One of our descriptors that the program gets under the number that it expects.
    struct HandedOver {
        int ours = -1;
        int number = -1;
    };
    static constexpr int same = -1;

    std::string program; // a path
    std::vector<std::string> arguments;
    Place place = Place::session;
    std::optional<std::string> directory{}; // to work in
    std::optional<User> user{};
    const std::vector<std::string>* environment = nullptr; // the whole; null: ours
    // The standard descriptors: each is one of our descriptors, or the same as ours.
    int input = same;
    int output = same;
    int error = same;
    // Which others stay open. The rest is closed.
    std::vector<int> kept{};
    std::optional<HandedOver> handed_over{};
    int death_signal = 0; // that the program gets when we die; 0: none
    // What to do if the kernel refuses our process; null: throw without a retry.
    const ForkRetry* retry = nullptr;
    // Called in the new process, still as our user, before it becomes the program.
    std::function<void()> before{};
};

// Starts it. When this returns, the program runs. Throws Error with status 126 or 127 as execute()
// does, and any other error that kept the new process from becoming the program.
[[nodiscard]] Child start_daemon(const DaemonPlan& plan);

// For a new process: sets every signal to its default action, and blocks none in the programs that
// it becomes or starts. Throws SysError.
void reset_signals();

// Pass an error from a new process to us as one line: the text of the exception and its status.
[[nodiscard]] std::string error_line(const std::exception& error);
[[noreturn]] void throw_error_line(std::string_view line);

} // namespace ipcbox::process
