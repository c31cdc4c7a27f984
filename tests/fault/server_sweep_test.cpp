// The sweep for servers. One system call after another of a server that serves a client fails once,
// with each errno that the kernel could return there. Once the server has announced that it
// listens, it goes on and reports the failure. Before that, it ends with one line.
#include "harness/client.h"
#include "harness/environment.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include "core/error.h"
#include "core/poll.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// Send a lost datagram again after this time.
constexpr auto retry = std::chrono::milliseconds{100};

constexpr std::array errors{ENOMEM, EMFILE, ENFILE, EAGAIN, EACCES, ENOBUFS, ECONNABORTED, EPERM};

// If its own child or its socket failed, a client may get no answer.
bool may_lose_connection(const std::string& fired) {
    constexpr std::array calls{"dup2",       "execve",     "setpgid", "setpriority", "setrlimit",
                               "getsockopt", "pidfd_open", "send",    "recv"};
    return std::ranges::any_of(calls,
                               [&fired](const char* call) { return fired.starts_with(call); });
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

struct SweptServer {
    Words command;
    bool (*answers)(const net::Address&);
    bool has_sessions = false; // each has a process, whose calls fail too
};

// The files that the servers read, and a socket that a dead server has left behind.
void write_files(const Scenario& scenario) {
    scenario.write_file("rules", "allow 127.0.0.0/8\nallow 192.0.2.0/24\n");
    scenario.write_file("commands", "hello = echo hello\n    rate 9/1s\n    concurrency 1\n");
    (void)listen_at(net::Address::unix_path(scenario.path("dead")));
}

// Runs the server with one fault. False when no call was left to fail.
bool fails_somewhere(const SweptServer& server, const std::string& fault) {
    Scenario scenario;
    write_files(scenario);
    // As if a service manager had started it.
    const auto manager = Fd::adopt(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto notify = net::Address::unix_path(scenario.path("notify"));
    REQUIRE(::bind(manager.get(), notify.data(), notify.size()) == 0);
    const Variable told{"NOTIFY_SOCKET", scenario.path("notify")};
    const auto mark = scenario.path("mark");
    bool answered = false;
    bool ready = false;
    Result result;
    {
        const Variable which{"IPCBOX_FAULT", fault};
        const Variable where{"IPCBOX_FAULT_MARK", mark};
        auto process = scenario.start(server.command);
        const auto line = process.line();
        ready = !line.empty();
        if (ready) {
            answered = server.answers(announced_address(line));
            process.kill(SIGTERM);
        }
        result = process.wait();
    }
    const bool fired = std::filesystem::exists(mark);
    const auto what = fired ? scenario.read_file("mark") : std::string{};
    CAPTURE(fault);
    CAPTURE(what);
    CAPTURE(result.err);
    CAPTURE(result.status);
    if (!ready) {
        CHECK(result.status == exit_status::failed);
        CHECK(result.err.starts_with(server.command.front() + ": "));
        CHECK(std::ranges::count(result.err, '\n') == 1);
    } else {
        CHECK(result.status == exit_status::done);
        if (!answered) {
            CHECK((server.has_sessions || may_lose_connection(what)));
            // The server does not report a client that has left.
            if (!what.starts_with("send") && !what.starts_with("recv")) CHECK(!result.err.empty());
        }
    }
    if (!may_leave_files(what)) {
        CHECK_FALSE(scenario.exists("socket"));
        CHECK_FALSE(scenario.exists("socket.lock"));
    }
    return fired;
}

} // namespace

TEST_CASE("no matter what fails once, a server goes on, or says why it did not start") {
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
         runs_limited_command,
         true},
        {{"command-server", "-q", "--notify-fd", "1", "127.0.0.1:0"}, offers_commands, true},
        {{"time-server", "-q", "--notify-fd", "1", "127.0.0.1:0"}, tells_time},
    };
    constexpr int max_calls = 300;
    for (const auto& server : servers)
        for (const int error : errors)
            for (const char* const process : {"", "child"}) {
                int number = 1;
                while (number <= max_calls &&
                       fails_somewhere(server, fmt::format("*={}@{}{}", strerrorname_np(error),
                                                           process, number)))
                    ++number;
                CHECK(number <= max_calls);
            }
}

TEST_CASE("no matter what fails once, a reader of a FIFO gets the whole document or fifosig says "
          "why not") {
    constexpr int max_calls = 300;
    const auto fails_somewhere_in_fifosig = [](const Words& words, const std::string& fault) {
        Scenario scenario;
        const auto mark = scenario.path("mark");
        Result result;
        std::string read;
        {
            const Variable which{"IPCBOX_FAULT", fault};
            const Variable where{"IPCBOX_FAULT_MARK", mark};
            auto process = scenario.start(words);
            const auto line = process.error_line();
            if (!contains(line, "serving")) {
                result = process.wait();
                result.err = line + "\n" + result.err;
            } else {
                auto reader = scenario.start_shell("exec cat fifo");
                result = process.wait();
                if (result.status == 0) read = reader.wait().out;
            }
        }
        const bool fired = scenario.exists("mark");
        const auto what = fired ? scenario.read_file("mark") : std::string{};
        CAPTURE(fault);
        CAPTURE(what);
        CAPTURE(result.err);
        CAPTURE(result.status);
        CHECK((result.status == 0 || result.status == 1 ||
               result.status == exit_status::cannot_execute));
        if (result.status == 0 && result.err.empty())
            CHECK((read == "text\n" || what.starts_with("write")));
        else if (!what.starts_with("write"))
            CHECK(result.err.starts_with("fifosig: "));
        // If the removal itself failed, the FIFO stays. The next fifosig takes it over.
        if (result.status != 0 || !what.starts_with("renameat2"))
            CHECK_FALSE(scenario.exists("fifo"));
        return fired;
    };
    for (const auto& words : {Words{"fifosig", "-n", "1", "-s", "text", "fifo"},
                              {"fifosig", "-n", "1", "fifo", "--", "echo", "text"}})
        for (const int error : errors)
            for (const char* const process : {"", "child"}) {
                // EAGAIN means that the pipe is full and somebody will read it. fifosig waits for
                // that.
                if (error == EAGAIN) continue;
                int number = 1;
                while (
                    number <= max_calls &&
                    fails_somewhere_in_fifosig(
                        words, fmt::format("*={}@{}{}", strerrorname_np(error), process, number)))
                    ++number;
                CHECK(number <= max_calls);
            }
}
