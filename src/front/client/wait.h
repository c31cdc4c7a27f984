// Waiting for servers: trying again until one answers, and several of them side by side.
#pragma once

#include "core/deadline.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace ipcbox::front {

// Calls ATTEMPT until it does not fail any more, or fails in a way that time does not mend. It is
// tried again after Unreachable, TimedOut and a broken TLS handshake, after pauses that grow to
// 250 ms, until the very end of DEADLINE. ATTEMPT gets a deadline of its own, 3 s at most: a host
// that drops our packets must not use up all the time. Throws TimedOut, "PURPOSE: the last reason",
// and whatever else ATTEMPT throws.
void retry(std::string_view purpose, const std::function<void(Deadline)>& attempt,
           Deadline deadline);

// For --wait-for A --wait-for B: a child of ours does WAIT_FOR(target) for each of TARGETS at the
// same time, and none is left when this returns or throws. A single target needs no child.
//
// Need::all returns when all of them have returned, and throws what the first of them throws;
// Need::any returns when one of them has, and throws the words of all when all have thrown: Error
// with the status of the last. Throws SysError when there can be no child.
enum class Need { all, any };
void wait_for_targets(std::span<const std::string> targets, Need need,
                      const std::function<void(const std::string& target)>& wait_for);

} // namespace ipcbox::front
