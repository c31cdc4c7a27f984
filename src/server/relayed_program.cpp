#include "server/relayed_program.h"

#include "core/date.h"
#include "core/error.h"
#include "core/io.h"
#include "core/signals.h"
#include "core/socket_pair.h"
#include "net/relay.h"

#include <array>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::server {

namespace {

class Transcript {
  public:
    Transcript(const std::string& directory, const Connection& connection)
        : started_(connection.started) {
        std::array<char, 32> time{};
        const std::time_t now = std::time(nullptr);
        std::tm broken_down{};
        ::gmtime_r(&now, &broken_down);
        (void)std::strftime(time.data(), time.size(), "%Y%m%dT%H%M%SZ", &broken_down);
        path_ = fmt::format("{}/{}-{}", directory, time.data(), ::getpid());
        file_ = open_file(path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        write(fmt::format("{} to {} at {}\n", connection.peer_text(), connection.local.text(),
                          date_text(now)));
    }

    void add(net::Flow flow, std::string_view chunk) {
        if (chunk.empty()) return;
        const double since = in_seconds(Deadline::Clock::now() - started_);
        write(fmt::format("{} {:.6f} {}\n", flow == net::Flow::request ? '>' : '<', since,
                          chunk.size()));
        write(chunk);
        write("\n");
    }

  private:
    void write(std::string_view text) { write_all(file_.get(), text, path_); }

    Deadline::Clock::time_point started_;
    std::string path_;
    Fd file_;
};

// The whole life of the child; its status.
int serve(const Fd& client, const Connection& connection, const SessionPlan& session,
          const std::string& program, std::span<const std::string> arguments, SpawnPlan plan) {
    lead_process_group();
    // The server was starting other programs at that moment: their sockets are not ours.
    close_descriptors_except(client);
    std::optional<Transcript> transcript;
    if (!session.record_directory.empty()) transcript.emplace(session.record_directory, connection);
    SocketPair pair = make_socket_pair();
    plan.input = plan.output = pair.theirs.get();
    plan.group = ProcessGroup::same;
    Child child = spawn(program, arguments, plan);
    pair.theirs = Fd{};
    set_nonblocking(client);
    set_nonblocking(pair.ours);
    net::RelayOptions options;
    options.idle = session.idle;
    if (transcript)
        options.filter = [&transcript](net::Flow flow, std::string_view chunk) {
            transcript->add(flow, chunk);
            return chunk;
        };
    try {
        net::RelayCounts counts;
        net::relay(net::RelayEnd::socket(client.get(), "the client"),
                   net::RelayEnd::socket(pair.ours.get(), "the program"), options, counts);
    } catch (const TimedOut&) {
        child.kill(SIGTERM);
        (void)child.wait_until(Deadline::after(time_from_term_to_kill));
        throw;
    } catch (const SysError& error) {
        // A client who went away: the program sees the end of its input, as it would without us.
        if (error.error() != ECONNRESET && error.error() != EPIPE) throw;
    }
    pair.ours = Fd{};
    const auto status = child.wait();
    if (status.signal() != 0) die_of(status.signal());
    return status.as_exit_status();
}

} // namespace

Started start_session(const Fd& client, const Connection& connection, const SessionPlan& session,
                      const std::string& program, std::span<const std::string> arguments,
                      const SpawnPlan& plan) {
    Child child = fork_child([&] {
        try {
            return serve(client, connection, session, program, arguments, plan);
        } catch (const Error& error) {
            return error.status();
        }
    });
    const Started started{child.pid(), 0};
    child.release();
    return started;
}

} // namespace ipcbox::server
