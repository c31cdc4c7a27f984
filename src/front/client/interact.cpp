#include "front/client/interact.h"

#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "front/client/line_history.h"
#include "front/client/reporting_child.h"
#include "front/client/socket_writer.h"
#include "front/client/terminal_talk.h"

#include <array>
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

// The work of the child of the two processes that perlipc uses: it copies to the server.
void speak_as_twin(Passage& passage, const std::string& target, const Reached& server) {
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
}

// Waits until the server has sent something, or the twin has ended. The server comes first if both
// have happened: it may be the reason why the twin could not go on.
bool server_is_first(int server, const ReportingChild& twin) {
    std::array<pollfd, 2> entries{pollfd{server, POLLIN, 0}, pollfd{twin.fd(), POLLIN, 0}};
    (void)poll_until(entries, Deadline::never());
    return entries[0].revents != 0;
}

void talk_as_twins(const std::string& target, const Reached& server, Passage& passage) {
    const auto end = server.end(target);
    ReportingChild twin{[&] { speak_as_twin(passage, target, server); }};
    bool is_alone = false;
    std::array<std::byte, buffer_size> buffer;
    for (;;) {
        if (!is_alone && !server_is_first(end.in, twin)) {
            twin.finish(); // if this throws, all that the server has sent is read
            is_alone = true;
            continue;
        }
        const auto got = read_some(end.in, buffer, target);
        const auto shown = passage.answer(
            {reinterpret_cast<const char*>(buffer.data()), got}); // NOLINT(*-reinterpret-cast)
        write_all(STDOUT_FILENO, shown, "standard output");
        if (got == 0) break;
    }
    if (!is_alone) twin.stop();
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

void interact(const InteractOptions& options, const std::string& target, Reached& server) {
    const bool shows_to_person = cli::is_terminal(STDOUT_FILENO);
    const bool edits = !options.leaves_editing && !options.twin && !options.client.raw &&
                       shows_to_person && cli::is_terminal(STDIN_FILENO);
    auto how = options.passage;
    how.visible = shows_to_person && !options.client.raw;
    Passage passage{how};
    auto ending = TerminalTalk::Ending::by_server;
    try {
        if (edits) {
            const auto file = options.forgets ? std::string{} : history_file(target);
            TerminalTalk talk{server, target, passage,
                              file.empty() ? LineHistory{} : LineHistory{file}, options.escape};
            ending = talk.run(options.client.idle_limit);
        } else if (options.twin) {
            talk_as_twins(target, server, passage);
        } else {
            talk_in_pipe(options, target, server, passage);
        }
    } catch (const SysError&) {
        if (server.tls) server.tls->check(); // it may know a better reason
        throw;
    }
    if (!server.tls) return;
    if (ending == TerminalTalk::Ending::by_person)
        end_tls_soon(*server.tls);
    else
        server.tls->check_end(Deadline::after_or_never(options.client.idle_limit));
}

} // namespace ipcbox::front
