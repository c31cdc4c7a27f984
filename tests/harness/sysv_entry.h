// Entries of the list of System V objects, for tests of how they are shown.
#pragma once

#include "sysv/entry.h"

namespace ipcbox::test {

// A set of two slots for whose tokens this many processes wait.
inline sysv::Entry set_of(int id, int waiting) {
    sysv::Entry entry;
    entry.object.id = id;
    entry.object.key = id;
    entry.slots = 2;
    entry.object.size = 94;
    entry.waiting = waiting;
    entry.use = waiting > 0 ? sysv::Use::used : sysv::Use::free;
    return entry;
}

} // namespace ipcbox::test
