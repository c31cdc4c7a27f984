#include "front/client/interact.h"

#include "cli/border.h"
#include "core/child.h"
#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "front/client/line_history.h"
#include "front/client/socket_writer.h"
#include "front/client/terminal_talk.h"

#include <array>
#include <csignal>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t buffer_size = 64UL * 1024;

// One process copies in both directions.
void talk_in_pipe(const InteractOptions& options, const std::string& target, Reached& server,
                  Passage& passage) {
    const auto end = server.end(target);
    SocketWriter replies{end.out, target};
    net::RelayOptions how;
    how.idle = options.client.idle_limit;
    how.request_end = server.request_end;
    how.finish_request = net::RelayOptions::FinishRequest::never;
    if (!passage.changes_nothing())
        how.filter = [&](net::Flow flow, std::string_view chunk) -> std::string_view {
            if (flow == net::Flow::request) return passage.request(chunk);
            const auto shown = passage.answer(chunk);
            replies.add(passage.take_replies());
            replies.send_now();
            return shown;
        };
    net::RelayCounts counts;
    const int input = cli::is_open(STDIN_FILENO) ? STDIN_FILENO : -1;
    net::relay(net::RelayEnd::streams(input, STDOUT_FILENO), end, how, counts);
}

// The child of the two processes that perlipc uses. It copies to the server, and ends when its
// parent ends.
int speak_as_twin(Passage& passage, const std::string& target, const Reached& server,
                  pid_t parent) {
    end_with_parent(parent);
    const auto end = server.end(target);
    SocketWriter out{end.out, target};
    std::array<std::byte, buffer_size> buffer;
    for (;;) {
        const auto got = read_some(STDIN_FILENO, buffer, "standard input");
        out.add(passage.request(
            {reinterpret_cast<const char*>(buffer.data()), got})); // NOLINT(*-reinterpret-cast)
        out.send_all(Deadline::never());
        if (got == 0) break;
    }
    if (server.request_end == net::RelayOptions::RequestEnd::told) out.end();
    return exit_status::done;
}

bool has_failed(const WaitStatus& twin) {
    return twin.signal() == 0 && twin.as_exit_status() != exit_status::done;
}

// Waits until the server has sent something, or the twin has ended. The server comes first if both
// have happened: it may be the reason why the twin could not go on. The twin has the other end of
// ALIVE.
bool server_is_first(int server, const Fd& alive) {
    std::array<pollfd, 2> entries{pollfd{server, POLLIN, 0}, pollfd{alive.get(), POLLIN, 0}};
    (void)poll_until(entries, Deadline::never());
    return entries[0].revents != 0;
}

// Returns the exit status. If the child has failed, it has reported the reason.
int talk_as_twins(const std::string& target, const Reached& server, Passage& passage) {
    const auto end = server.end(target);
    const pid_t parent = ::getpid();
    Pipe alive = make_pipe();
    Child twin = fork_child([&] {
        return cli::guarded([&] { return speak_as_twin(passage, target, server, parent); });
    });
    alive.writer = Fd{};
    std::optional<WaitStatus> twin_end;
    std::array<std::byte, buffer_size> buffer;
    for (;;) {
        if (!twin_end && !server_is_first(end.in, alive.reader)) {
            twin_end = twin.wait();
            if (has_failed(*twin_end)) break; // with all read that the server has sent
            continue;
        }
        const auto got = read_some(end.in, buffer, target);
        const auto shown = passage.answer(
            {reinterpret_cast<const char*>(buffer.data()), got}); // NOLINT(*-reinterpret-cast)
        write_all(STDOUT_FILENO, shown, "standard output");
        if (got == 0) break;
    }
    if (!twin_end) {
        twin.kill(SIGTERM);
        twin_end = twin.wait();
    }
    return has_failed(*twin_end) ? twin_end->as_exit_status() : exit_status::done;
}

// Gives the process that speaks TLS a moment to send our last bytes. Nobody waits for an answer.
void end_tls_soon(net::TlsProcess& tls) {
    constexpr auto time_to_send = std::chrono::milliseconds{100};
    try {
        tls.check_end(Deadline::after(time_to_send));
    } catch (const TimedOut&) {      // NOLINT(bugprone-empty-catch)
    } catch (const net::TlsError&) { // NOLINT(bugprone-empty-catch)
    }
}

} // namespace

int interact(const InteractOptions& options, const std::string& target, Reached& server) {
    const bool shows_to_person = cli::is_terminal(STDOUT_FILENO);
    const bool edits = !options.leaves_editing && !options.twin && !options.client.raw &&
                       shows_to_person && cli::is_terminal(STDIN_FILENO);
    auto how = options.passage;
    how.visible = shows_to_person && !options.client.raw;
    Passage passage{how};
    auto ending = TerminalTalk::Ending::by_server;
    int status = exit_status::done;
    try {
        if (edits) {
            const auto file = options.forgets ? std::string{} : history_file(target);
            TerminalTalk talk{server, target, passage,
                              file.empty() ? LineHistory{} : LineHistory{file}, options.escape};
            ending = talk.run(options.client.idle_limit);
        } else if (options.twin) {
            status = talk_as_twins(target, server, passage);
        } else {
            talk_in_pipe(options, target, server, passage);
        }
    } catch (const SysError&) {
        if (server.tls) server.tls->check(); // it may know a better reason
        throw;
    }
    if (!server.tls || status != exit_status::done) return status;
    if (ending == TerminalTalk::Ending::by_person)
        end_tls_soon(*server.tls);
    else
        server.tls->check_end(Deadline::after_or_never(options.client.idle_limit));
    return status;
}

} // namespace ipcbox::front
