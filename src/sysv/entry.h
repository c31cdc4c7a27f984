// A System V object with everything that was found out about it, and the verdict whether it is in
// use.
#pragma once

#include "core/process_info.h"
#include "sysv/kernel_objects.h"
#include "sysv/witnesses.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::sysv {

// A process that uses an object.
struct User {
    enum class Does {
        holds,   // a token, until it ends
        took,    // a token, which stays taken until a process gives it
        shares,  // the set
        waits,   // for the set or the queue
        attached // to the segment
    } does = Does::holds;
    pid_t pid = 0;                           // 0: of another PID namespace
    std::string text;                        // "812 (make, root, 3m12s)", "812 (ended)"
    std::optional<ProcessInfo> process = {}; // nothing when it has ended or is not known
};

// "holds it", "waits"
[[nodiscard]] std::string_view name_of(User::Does does);

// Whether the object is in use.
enum class Use { free, used, unknown };

struct Entry {
    Object object;
    std::string name{};         // "@build" where the label proves it; else empty
    bool is_readable = true;    // the values of a set can be read
    std::optional<int> slots{}; // of a set that hands out tokens
    int taken = 0;
    int waiting = 0; // threads, as the kernel counts them; for a queue, those that were found
    int value = 0;   // of a set of one semaphore
    std::uint64_t bytes = 0; // of a segment, without the label of its name
    std::vector<User> users{};
    std::uint64_t unknown_users = 0; // more processes use it, which cannot be named
    bool may_have_more = false;      // of a queue: more may wait for it
    pid_t creator_pid = 0;           // 0: unknown
    // The kernel does not know the creator of a queue and of most sets. For these, this is about
    // the processes that used it last.
    Presence creator = Presence::unknown;
    Use use = Use::unknown;
    std::string why{}; // the reason for `used` or `unknown`: "2 of 4 tokens are taken"

    // The name, or the key.
    [[nodiscard]] std::string key_text() const { return name.empty() ? object.key_text() : name; }
    // Nobody uses it, and its creator is gone.
    [[nodiscard]] bool is_orphan() const { return use == Use::free && creator == Presence::gone; }
};

// Sets USE and WHY of ENTRY, whose other members are known.
void judge(Entry& entry);

} // namespace ipcbox::sysv
