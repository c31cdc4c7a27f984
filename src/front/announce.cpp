#include "front/announce.h"

#include "cli/output.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "server/readiness.h"

#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

void check_notify_fd(std::optional<int> notify_fd, bool json) {
    if (json && notify_fd == STDOUT_FILENO)
        throw cli::UsageError("--notify-fd 1 would close standard output, where --json prints: use "
                              "another descriptor, such as --notify-fd 3 3>FILE");
}

void announce(std::span<const std::string> places, std::optional<int> notify_fd,
              const cli::Verbosity& verbosity) {
    constexpr std::string_view object = "the descriptor of --notify-fd";
    std::string lines;
    for (const auto& place : places) {
        const auto line = fmt::format("listening on {}", cli::visible_line(place));
        lines += line + '\n';
        if (!notify_fd && !verbosity.quiet) cli::diagnose(line);
    }
    if (notify_fd) {
        // Write all lines at once. The reader may need only the first one, or may read to the end.
        write_all(*notify_fd, lines, object);
        if (*notify_fd != STDERR_FILENO) { // our log goes to standard error
            try {
                let_go_of(*notify_fd, object);
            } catch (const SysError&) { // NOLINT(bugprone-empty-catch): the reader knows that we
            }                           // listen, and can rely on it
        }
    }
    server::notify_service_manager(fmt::format("READY=1\nMAINPID={}\n", ::getpid()));
}

} // namespace ipcbox::front
