// A server whose children are killed at random while clients connect again and again: each
// connection is answered or ended, and nothing is left. IPCBOX_SOAK=60 does it for so many seconds.
#include "harness/client.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pidfd.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <random>
#include <thread>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr int connections = 400;
constexpr unsigned callers = 8;

struct Tally {
    std::atomic<int> begun = 0;
    std::atomic<int> answered = 0;
    std::atomic<int> ended = 0;  // by a kill, in the middle
    std::atomic<int> kills = 0;  // sent
    std::atomic<int> failed = 0; // anything else: no end in 30 s, a wrong answer
};

// Whether the process behind PID is a child of PARENT now.
bool is_child_of(pid_t pid, pid_t parent) {
    try {
        const auto path = fmt::format("/proc/{}/stat", pid);
        const auto text = read_to_end(open_file(path, O_RDONLY).get(), 4096, path);
        const auto behind_name = text.rfind(')');
        return text.substr(behind_name + 4).starts_with(fmt::format("{} ", parent));
    } catch (const SysError&) {
        return false;
    }
}

// One of the server's children, if there is any. By then its number may be somebody else's: the
// handle comes first, and what it means is looked at after that.
bool kill_a_child(pid_t server, std::minstd_rand& random) {
    const auto pids = children_of(server);
    if (pids.empty()) return false;
    const auto pid = pids[random() % pids.size()];
    const auto handle = open_process(pid);
    if (!handle || !is_child_of(pid, server)) return false;
    send_signal(*handle, SIGKILL);
    return true;
}

// One conversation of two parts; between them a child may be killed, ours or another's.
void call(const net::Address& address, pid_t server, std::minstd_rand& random, Tally& tally) {
    const auto text = numbered_text(1 + random() % 100'000);
    std::string answer;
    try {
        Client client{address};
        client.send("hello\n");
        answer = client.line();
        if (random() % 3 == 0 && kill_a_child(server, random)) ++tally.kills;
        const std::jthread sender{[&] {
            try {
                client.send(text);
                client.end_input();
            } catch (const SysError&) { // NOLINT(bugprone-empty-catch): the reader sees it too
            }
        }};
        answer += client.rest();
    } catch (const SysError& error) {
        if (error.error() != ECONNRESET && error.error() != EPIPE) throw;
        ++tally.ended;
        return;
    }
    if (answer == "hello" + text)
        ++tally.answered;
    else if (("hello" + text).starts_with(answer))
        ++tally.ended;
    else
        throw std::runtime_error("an answer that nobody gave");
}

} // namespace

TEST_CASE("children that are killed at random cost their clients, and nothing else") {
    Scenario scenario;
    auto process = scenario.start(
        {"forking-tcp-server", "-q", "--notify-fd", "1", "-c", "16", "127.0.0.1:0", "--", "cat"});
    const auto line = process.line();
    const auto place = net::HostPort::parse(line.substr(line.rfind(' ') + 1));
    const auto address = net::Address::parse_ip(place.host, place.port).value();
    CHECK(ask(address, "hello\n") == "hello\n");
    CHECK(eventually([&] { return children_of(process.pid()).empty(); }));
    const auto before = count_descriptors(process.pid());

    const char* soak = std::getenv("IPCBOX_SOAK");
    const auto end = Deadline::after(std::chrono::seconds{soak != nullptr ? std::atoi(soak) : 0});
    Tally tally;
    {
        std::vector<std::jthread> threads;
        for (unsigned each = 0; each < callers; ++each)
            threads.emplace_back([&, each] {
                std::minstd_rand random{each + 1};
                while (tally.begun++ < connections || !end.passed())
                    try {
                        call(address, process.pid(), random, tally);
                    } catch (const std::exception& error) {
                        ++tally.failed;
                        MESSAGE(error.what());
                    }
            });
    }
    MESSAGE(tally.answered.load(), " answered, ", tally.ended.load(), " ended by ",
            tally.kills.load(), " kills");
    CHECK(tally.failed == 0);
    CHECK(tally.answered > 0);
    CHECK(tally.ended > 0);
    CHECK(tally.ended <= tally.kills);
    // A zombie is a child, too.
    CHECK(eventually([&] { return children_of(process.pid()).empty(); }));
    CHECK(eventually([&] { return count_descriptors(process.pid()) <= before; }));
    CHECK(ask(address, "still here\n") == "still here\n");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}
