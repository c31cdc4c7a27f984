// Looks at processes that must not fail for a passing lack of memory or descriptors.
#pragma once

#include "core/error.h"

namespace ipcbox::process {

// Waits a moment after ERROR, the failure of this attempt. Throws ERROR again when it does not pass
// by itself, or when there were too many attempts.
void wait_for_better(const SysError& error, int attempt);

// Tries again while the system lacks memory or descriptors. Without this, a walk that fails would
// leave a tree that is still running or stopped.
template <class Look> auto insist(Look look) {
    for (int attempt = 1;; ++attempt) {
        try {
            return look();
        } catch (const SysError& error) {
            wait_for_better(error, attempt);
        }
    }
}

} // namespace ipcbox::process
