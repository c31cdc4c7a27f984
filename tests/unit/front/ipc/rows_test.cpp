#include "front/ipc/rows.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using sysv::Kind;
using sysv::Presence;
using sysv::Use;
using Does = sysv::User::Does;

TEST_CASE("a size has a unit only if that is exact") {
    CHECK(front::size_text(0) == "0");
    CHECK(front::size_text(1023) == "1023");
    CHECK(front::size_text(1024) == "1K");
    CHECK(front::size_text(8UL * 1024 * 1024) == "8M");
    CHECK(front::size_text(1025) == "1025");
}

TEST_CASE("ages are in words") {
    CHECK(front::age_text(0, 1000) == "never");
    CHECK(front::age_text(1000, 1000) == "0s ago");
    CHECK(front::age_text(1000, 1180) == "3m ago");
}

TEST_CASE("each kind shows its state") {
    sysv::Entry set;
    set.object.size = 94;
    set.slots = 4;
    set.taken = 2;
    CHECK(front::state_text(set) == "2 of 4 taken");
    sysv::Entry plain;
    plain.object.size = 1;
    plain.slots = 1;
    plain.taken = 1;
    plain.value = 3;
    CHECK(front::state_text(plain) == "value 3: taken");
    plain.is_readable = false;
    CHECK(front::state_text(plain) == "1 semaphore, unknown");
    sysv::Entry memory;
    memory.object.kind = Kind::memory;
    memory.bytes = 4096;
    memory.object.count = 2;
    memory.object.is_doomed = true;
    CHECK(front::state_text(memory) == "4K, 2 attached, removed");
    sysv::Entry queue;
    queue.object.kind = Kind::messages;
    queue.object.count = 1;
    queue.object.size = 120;
    CHECK(front::state_text(queue) == "1 message, 120 bytes");
}

TEST_CASE("users that nobody can see are unknown, never nobody") {
    sysv::Entry entry;
    entry.use = Use::unknown;
    CHECK(front::users_text(entry) == "unknown");
    entry.use = Use::free;
    CHECK(front::users_text(entry) == "nobody");
    entry.creator = Presence::gone;
    CHECK(front::users_text(entry) == "nobody, creator gone");
    entry.use = Use::used;
    entry.users = {{Does::holds, 8, "8 (make, root, 3s)", {}},
                   {Does::waits, 9, "9 (sem-take, root, 2s)", {}},
                   {Does::holds, 7, "7 (cc, root, 1s)", {}}};
    entry.unknown_users = 2;
    CHECK(front::users_text(entry) == "held by 8 (make, root, 3s), 7 (cc, root, 1s); waited for by "
                                      "9 (sem-take, root, 2s); 2 waiting unknown");
}
