#include "server/hang_up.h"

#include "core/error.h"
#include "core/fd.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace ipcbox::server {

namespace {

// 0 if our session has a terminal, ENXIO if it has none. Other errors tell nothing.
int error_of_terminal() noexcept try {
    (void)open_file("/dev/tty", O_RDONLY | O_NOCTTY);
    return 0;
} catch (const SysError& error) {
    return error.error();
}

} // namespace

HangUp::HangUp() noexcept : had_terminal_(error_of_terminal() == 0) {}

bool HangUp::is_told_by(const SignalEvent& event) const noexcept {
    if (event.number != SIGHUP) return false;
    if (!event.from_process) return true;
    return had_terminal_ && event.sender == ::getsid(0) && error_of_terminal() == ENXIO;
}

} // namespace ipcbox::server
