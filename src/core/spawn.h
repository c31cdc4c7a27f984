// Starting a program without copying our memory: clone(2) with CLONE_VM | CLONE_VFORK, so that it
// costs the same however large we are. Only the thread that asks waits for the exec; others of
// ours may start programs at the same time.
#pragma once

#include "core/child.h"
#include "core/privileges.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ipcbox {

// Which processes a signal of the terminal reaches, and kill_group(). A session of its own
// (setsid(2)) is a group of its own without a terminal.
enum class ProcessGroup { same, own, own_session };

// setrlimit(2) for the program: the soft and the hard limit.
struct ResourceLimit {
    int resource = 0;
    std::uint64_t most = 0;
};

// Why a program of ours could not be given LIMIT: an errno, or 0 when it could. Nothing changes.
[[nodiscard]] int limit_error(const ResourceLimit& limit) noexcept;

// What the program gets. It always starts with the signal mask that we were started with.
struct SpawnPlan {
    // The standard descriptors: one of ours each, or the same as we have.
    static constexpr int same = -1;
    int input = same;
    int output = same;
    int error = same;
    ProcessGroup group = ProcessGroup::same;
    // A terminal of ours that has the program's own group in the foreground from its start, so that
    // it can read what is typed and gets what Ctrl-C sends. -1: none.
    int terminal = -1;
    // A terminal that no session has yet: it becomes that of the program's own session. -1: none.
    int controlling_terminal = -1;
    // The program gets this signal when we die first (PR_SET_PDEATHSIG), even of KILL. 0: none.
    // What it starts does not get it, and a set-user-ID program neither.
    int death_signal = 0;
    // The program has this signal at its default action, even if we inherited it ignored. 0: none.
    int default_signal = 0;
    // The whole environment, "NAME=VALUE" each; null: ours.
    const std::vector<std::string>* environment = nullptr;
    std::span<const ResourceLimit> limits = {};
    std::optional<int> nice = {};
    // The program runs as this user. Only root may say so.
    const Credentials* user = nullptr;
    // PR_SET_NO_NEW_PRIVS: no set-uid program that it starts gains anything.
    bool no_new_privileges = false;
    // A descriptor of ours that the program has under the same number. -1: none.
    int kept = -1;
};

// Runs PROGRAM (a path) with ARGUMENTS, whose first is the name it is called by. That exec(2)
// failed is our error, thrown as find_program does.
[[nodiscard]] Child spawn(const std::string& program, std::span<const std::string> arguments,
                          const SpawnPlan& plan);

// The same for a server that reaps its children itself, with reap_child(): nothing owns the child,
// and an exec that failed has made one too, which ends with status 126.
struct Started {
    pid_t pid = 0;
    int exec_error = 0; // errno, or 0
};
// Throws SysError when there could be no child at all (EAGAIN, ENOMEM).
[[nodiscard]] Started start_process(const std::string& program,
                                    std::span<const std::string> arguments, const SpawnPlan& plan);

} // namespace ipcbox
