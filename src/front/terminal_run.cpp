#include "front/terminal_run.h"

#include "cli/output.h"
#include "core/error.h"
#include "process/supervise.h"

#include <cerrno>
#include <csignal>

namespace ipcbox::front {

// If nobody reads our output any more, we end as a program without a terminal would.
int run_on_terminal(const dialog::PtyRelayPlan& plan, const Command& command) {
    dialog::PtyRelay relay{command.program(), command.words(), plan};
    try {
        const auto status = relay.to_end();
        if (relay.log_failure().empty()) return process::end_as(status);
        cli::diagnose(relay.log_failure());
        return status.succeeded() ? exit_status::failed : process::end_as(status);
    } catch (const SysError& error) { // 125 is only for errors before the start
        if (error.error() == EPIPE) return process::end_as(WaitStatus::killed(SIGPIPE, false));
        cli::diagnose(error.what());
        return exit_status::failed;
    }
}

} // namespace ipcbox::front
