// Waiting for servers: trying again until one answers, and waiting for several at the same time.
#pragma once

#include "core/deadline.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace ipcbox::front {

// Calls ATTEMPT until it succeeds, or fails in a way that waiting does not cure. It tries again
// after Unreachable, TimedOut and a broken TLS handshake, with pauses that grow to 250 ms, until
// the very end of DEADLINE. ATTEMPT gets a deadline of its own, at most 3 s, so that a host that
// drops our packets does not use up all the time. Throws TimedOut, "PROBLEM: the last reason", and
// any other exception of ATTEMPT.
void retry(std::string_view problem, const std::function<void(Deadline)>& attempt,
           Deadline deadline);

// For --wait-for A --wait-for B: runs WAIT_FOR(target) for all TARGETS at the same time, each in a
// child. No child is left when this returns or throws. A single target needs no child.
//
// Need::all returns when all of them have returned, and throws when the first of them throws.
// Need::any returns when one of them has returned, and throws when all have thrown: an Error with
// the texts of all and the status of the last. Throws SysError when no child can be started.
enum class Need { all, any };
void wait_for_targets(std::span<const std::string> targets, Need need,
                      const std::function<void(const std::string& target)>& wait_for);

} // namespace ipcbox::front
