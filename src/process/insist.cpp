#include "process/insist.h"

#include "core/poll.h"

#include <cerrno>

namespace ipcbox::process {

void wait_for_better(const SysError& error, int attempt) {
    constexpr int max_attempts = 100;
    constexpr auto pause = std::chrono::milliseconds{10};
    const bool may_pass = error.error() == ENOMEM || error.error() == ENFILE;
    if (!may_pass || attempt == max_attempts) throw;
    (void)poll_until({}, Deadline::after(pause));
}

} // namespace ipcbox::process
