// The sweep for servers. One system call after another of a server that serves a client, or that
// restarts, fails once, with each errno that the kernel could return there. Once the server has
// announced that it listens, it goes on and reports the failure. Before that, it ends with one
// line.
#include "fault/sweep.h"
#include "harness/client.h"
#include "harness/environment.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// Send a lost datagram again after this time.
constexpr auto retry = std::chrono::milliseconds{100};

// A call of the server or of its child without which the client gets no answer, and what the log
// says then.
struct Loss {
    std::string_view call;
    std::string_view line;
};
constexpr std::array losses{
    Loss{"dup2", ": cannot execute "},
    Loss{"execve", ": cannot execute "},
    Loss{"setrlimit", ": cannot set a limit of "},
    Loss{"setpriority", ": cannot set the nice value of "},
    Loss{"send", ": cannot answer a client: "},
    Loss{"recv", ": its PROXY header cannot be read: "},
};

bool reports_loss(const std::string& fired, const std::string& log) {
    return std::ranges::any_of(losses, [&](const Loss& loss) {
        return fired.starts_with(loss.call) && contains(log, loss.line);
    });
}

// The server does not report a client that has left.
bool is_gone(const std::string& fired) {
    return contains(fired, ": ECONNRESET") || contains(fired, ": EPIPE");
}

// The server does not know the owner of the file then. So the file stays, and the next server takes
// it over.
bool may_leave_files(const std::string& fired) {
    return fired.starts_with("fstatat") || fired.starts_with("flock");
}

std::string answer_of(const net::Address& address, std::string_view question = {}) {
    try {
        return ask(address, question);
    } catch (const SysError&) {
        return "reset";
    }
}

bool says_hello(const net::Address& address) {
    return answer_of(address) == "hello\n";
}

// Whether a time server answers over TCP. Over UDP, it must answer when it is asked again.
bool tells_time(const net::Address& address) {
    constexpr std::size_t size = 4; // RFC 868
    const Fd asker = Fd::adopt(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    std::array<char, 2 * size> answer{};
    CHECK(eventually([&] {
        ::sendto(asker.get(), nullptr, 0, 0, address.data(), address.size());
        const bool came = wait_for(asker.get(), POLLIN, Deadline::after(retry));
        return came && ::recv(asker.get(), answer.data(), answer.size(), 0) == size;
    }));
    return answer_of(address).size() == size;
}

bool offers_commands(const net::Address& address) {
    return answer_of(address).starts_with("Welcome to command-server");
}

bool says_hello_behind_proxy(const net::Address& address) {
    return answer_of(address, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n") == "hello\n";
}

bool runs_limited_command(const net::Address& address) {
    return contains(answer_of(address, "hello\n"), "hello\n");
}

// The programs whose calls fail.
enum class Failing {
    server,
    session, // the server's process for its client
    restart, // the server once it has HUP, and the program that takes its place
    next     // that program
};

// A server that has no program.
bool greets(const net::Address& address) {
    Client client{address};
    try {
        client.send("text that nobody reads\n");
        return client.line().starts_with("Hello there"); // a reset may follow
    } catch (const SysError&) {
        return false;
    }
}

struct SweptServer {
    Words command;
    bool (*answers)(const net::Address&);
    Failing failing = Failing::server;

    [[nodiscard]] bool restarts() const {
        return failing == Failing::restart || failing == Failing::next;
    }
};

// The files that the servers read, and a socket that a dead server has left behind.
void write_files(const Scenario& scenario) {
    scenario.write_file("rules", "allow 127.0.0.0/8\nallow 192.0.2.0/24\n");
    scenario.write_file("commands", "hello = echo hello\n    rate 9/1s\n    concurrency 1\n");
    (void)listen_at(net::Address::unix_path(scenario.path("dead")));
}

// The service manager's end of NOTIFY_SOCKET.
class Manager {
  public:
    explicit Manager(const std::string& path) : told_("NOTIFY_SOCKET", path) {
        const auto address = net::Address::unix_path(path);
        REQUIRE(::bind(socket_.get(), address.data(), address.size()) == 0);
    }
    // How often a server has said that it is ready.
    int ready() {
        std::array<char, 256> text{};
        ssize_t size = 0;
        while ((size = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT)) > 0)
            if (std::string_view{text.data(), static_cast<std::size_t>(size)}.starts_with("READY"))
                ++ready_;
        return ready_;
    }

  private:
    Fd socket_ = Fd::adopt(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    int ready_ = 0;
    const Variable told_;
};

// Which of our programs have calls that fail, and when.
class Faults {
  public:
    Faults(const Scenario& scenario, Failing failing, const std::string& fault)
        : gate_(scenario.path("gate")), mark_(scenario.path("mark")), which_("IPCBOX_FAULT", fault),
          where_("IPCBOX_FAULT_MARK", mark_) {
        if (failing == Failing::session) in_.emplace("IPCBOX_FAULT_IN", "TCPREMOTEIP");
        if (failing == Failing::next) in_.emplace("IPCBOX_FAULT_IN", "IPCBOX_SERVER_STATE");
        if (failing == Failing::next) open(); // and no program that replaces the next one
        if (failing == Failing::restart || failing == Failing::next)
            from_.emplace("IPCBOX_FAULT_FROM", gate_);
    }
    // From now on, calls of a server that restarts fail.
    void open() const { write_all(open_file(gate_, O_WRONLY | O_CREAT, 0600).get(), "", gate_); }
    // What has failed so far.
    [[nodiscard]] std::string fired() const {
        return std::filesystem::exists(mark_)
                   ? read_to_end(open_file(mark_, O_RDONLY).get(), 100'000, mark_)
                   : std::string{};
    }

  private:
    std::string gate_;
    std::string mark_;
    Variable which_;
    Variable where_;
    std::optional<Variable> in_;
    std::optional<Variable> from_;
};

// Runs the server with one fault. False when no call was left to fail.
bool fails_somewhere(const SweptServer& server, const std::string& fault) {
    Scenario scenario;
    write_files(scenario);
    // As if a service manager had started it.
    Manager manager{scenario.path("notify")};
    const Faults faults{scenario, server.failing, fault};
    auto process = scenario.start(server.command);
    const auto line = process.line();
    const bool ready = !line.empty();
    bool answered = false;
    if (ready) {
        const auto address = announced_address(line);
        answered = server.answers(address);
        if (server.restarts()) {
            CHECK(answered);
            faults.open();
            process.kill(SIGHUP);
            // Two of its messages to the manager cannot fail.
            CHECK(eventually([&] {
                return manager.ready() == 2 || !process.is_running() ||
                       faults.fired().starts_with("sendto") || faults.fired().starts_with("socket");
            }));
            answered = server.answers(address);
        }
        process.kill(SIGTERM);
    }
    const auto result = process.wait();
    const auto what = faults.fired();
    CAPTURE(fault);
    CAPTURE(what);
    CAPTURE(result.err);
    CAPTURE(result.status);
    if (!ready) {
        CHECK(result.status == exit_status::failed);
        // If the failed call wrote to standard error, the line is missing.
        const bool is_told = result.err.starts_with(server.command.front() + ": ") &&
                             std::ranges::count(result.err, '\n') == 1;
        CHECK((is_told || what.starts_with("write")));
    } else {
        CHECK(result.status == exit_status::done);
        if (!answered && server.failing == Failing::session)
            CHECK(std::ranges::count(result.err, '\n') == 1);
        else if (!answered)
            CHECK((is_gone(what) || reports_loss(what, result.err)));
    }
    if (!may_leave_files(what)) {
        CHECK_FALSE(scenario.exists("socket"));
        CHECK_FALSE(scenario.exists("socket.lock"));
    }
    return !what.empty();
}

} // namespace

TEST_CASE("no matter what fails once, a server goes on, or says why it did not start") {
    [[maybe_unused]] const int nice = ::nice(1);
    const rlimit none{0, 0};
    REQUIRE(::setrlimit(RLIMIT_CORE, &none) == 0);
    const std::vector<SweptServer> servers{
        {{"forking-tcp-server", "-q", "--notify-fd", "1", "127.0.0.1:0", "--", "echo", "hello"},
         says_hello},
        {{"catsock-server", "-q", "--notify-fd", "1", "--allow", "exe=/bin/sh", "--allow", "uid=0",
          "./socket", "--", "echo", "hello"},
         says_hello},
        {{"forking-tcp-server", "-q", "--notify-fd", "1", "--proxy-protocol", "-x", "rules",
          "--nice", "1", "--rlimit", "nofile=64", "127.0.0.1:0", "--", "echo", "hello"},
         says_hello_behind_proxy},
        {{"catsock-server", "-q", "--notify-fd", "1", "-m", "600", "-o", "root", "./dead", "--",
          "echo", "hello"},
         says_hello},
        {{"command-server", "-q", "--notify-fd", "1", "-f", "commands", "127.0.0.1:0"},
         runs_limited_command},
        {{"command-server", "-q", "--notify-fd", "1", "127.0.0.1:0"}, offers_commands},
        {{"time-server", "-q", "--notify-fd", "1", "127.0.0.1:0"}, tells_time},
        {{"tcp-server", "-q", "--notify-fd", "1", "127.0.0.1:0"}, greets},
        // More than this process has. Where it has no privilege to raise them, neither server
        // starts.
        {{"forking-tcp-server", "-q", "--notify-fd", "1", "--nice", "0", "127.0.0.1:0", "--",
          "echo", "hello"},
         says_hello},
        {{"forking-tcp-server", "-q", "--notify-fd", "1", "--rlimit", "core=4096", "127.0.0.1:0",
          "--", "echo", "hello"},
         says_hello},
        {{"command-server", "-q", "--keep-env", "--notify-fd", "1", "-f", "commands",
          "127.0.0.1:0"},
         runs_limited_command,
         Failing::session},
        {{"forking-tcp-server", "-q", "--notify-fd", "1", "127.0.0.1:0", "--", "echo", "hello"},
         says_hello,
         Failing::restart},
        {{"forking-tcp-server", "-q", "--notify-fd", "1", "127.0.0.1:0", "--", "echo", "hello"},
         says_hello,
         Failing::next},
    };
    const auto errors = swept_errors({"ENOMEM", "EMFILE", "EAGAIN", "EPERM"});
    int runs = 0;
    for (const auto& server : servers)
        runs += sweep_calls(
            errors, [&server](const std::string& fault) { return fails_somewhere(server, fault); });
    MESSAGE(servers.size(), " servers, ", runs, " calls failed");
}
