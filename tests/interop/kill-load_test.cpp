// Servers under load, while their children are killed at random, the servers are restarted, and
// some clients say nothing. Each connection is answered or ended by a kill, and nothing is left.
// IPCBOX_SOAK=60 runs the first test for 60 seconds; IPCBOX_LOAD=200000 sets the size of the other
// loads.
#include "harness/client.h"
#include "harness/kills.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pidfd.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <random>
#include <thread>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr int connections = 400;
constexpr unsigned callers = 8;
constexpr auto header = "PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\r\n";

struct Tally {
    std::atomic<int> begun = 0;
    std::atomic<int> answered = 0;
    std::atomic<int> ended = 0;  // cut off in the middle by a kill
    std::atomic<int> kills = 0;  // signals that were sent
    std::atomic<int> failed = 0; // anything else: no end in 30 s, a wrong answer
};

// Whether the process with the number PID is a child of PARENT now.
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

// Kills one of the server's children, if it has any. The number may belong to another process by
// then. So the handle comes first, and then we look at what it means.
bool kill_a_child(pid_t server, std::minstd_rand& random) {
    const auto pids = children_of(server);
    if (pids.empty()) return false;
    const auto pid = pids[random() % pids.size()];
    const auto handle = open_process(pid);
    if (!handle || !is_child_of(pid, server)) return false;
    send_signal(*handle, SIGKILL);
    return true;
}

// A conversation of two parts. Between them, the test may kill a child, that of this connection or
// of another one.
void call(const net::Address& address, pid_t server, std::minstd_rand& random, Tally& tally,
          std::size_t max_size = 100'000, const std::string& before = {}) {
    const auto text = numbered_text(1 + random() % max_size);
    std::string answer;
    try {
        Client client{address};
        client.send(before + "hello\n");
        answer = client.line();
        if (random() % 3 == 0 && kill_a_child(server, random)) ++tally.kills;
        const std::jthread sender{[&] {
            try {
                client.send(text);
                client.end_input();
            } catch (const SysError&) { // NOLINT(bugprone-empty-catch): the reader notices it too
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

// Runs several threads. Each repeats WORK, with its own random numbers, while GO_ON returns true.
template <class Work, class Condition>
void at_once(Tally& tally, const Work& work, const Condition& go_on) {
    std::vector<std::jthread> threads;
    for (unsigned each = 0; each < callers; ++each)
        threads.emplace_back([&, each] {
            std::minstd_rand random{each + 1};
            while (go_on())
                try {
                    work(random);
                } catch (const std::exception& error) {
                    ++tally.failed;
                    MESSAGE(std::string{error.what()});
                }
        });
}

// Clients that send half a PROXY header or nothing. The newest of them stay until others come.
class SilentGuests {
  public:
    void add(const net::Address& address, std::minstd_rand& random) {
        Client guest{address};
        guest.send(std::string_view{header}.substr(0, random() % 12));
        if (random() % 4 == 0) return guest.reset();
        if (random() % 4 == 0) guest.end_input();
        const std::lock_guard lock{mutex_};
        guests_.push_back(std::move(guest));
        if (guests_.size() > max_guests) guests_.pop_front();
    }

  private:
    static constexpr std::size_t max_guests = 24;
    std::mutex mutex_;
    std::deque<Client> guests_;
};

} // namespace

TEST_CASE("children that are killed at random lose only their own clients") {
    Scenario scenario;
    auto process = scenario.start(
        {"forking-tcp-server", "-q", "--notify-fd", "1", "-c", "16", "127.0.0.1:0", "--", "cat"});
    const auto address = announced_address(process.line());
    CHECK(ask(address, "hello\n") == "hello\n");
    CHECK(eventually([&] { return children_of(process.pid()).empty(); }));
    const auto before = count_descriptors(process.pid());

    const char* soak = std::getenv("IPCBOX_SOAK");
    const auto end = Deadline::after(std::chrono::seconds{soak != nullptr ? std::atoi(soak) : 0});
    Tally tally;
    at_once(
        tally, [&](auto& random) { call(address, process.pid(), random, tally); },
        [&] { return tally.begun++ < connections || !end.passed(); });
    MESSAGE(tally.answered.load(), " answered, ", tally.ended.load(), " ended by ",
            tally.kills.load(), " kills");
    CHECK(tally.failed == 0);
    CHECK(tally.answered > 0);
    CHECK(tally.ended > 0);
    CHECK(tally.ended <= tally.kills);
    // A zombie would count as a child.
    CHECK(eventually([&] { return children_of(process.pid()).empty(); }));
    CHECK(eventually([&] { return count_descriptors(process.pid()) <= before; }));
    CHECK(ask(address, "still here\n") == "still here\n");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("kills, restarts and silent clients cost no other client its connection") {
    const int total = load_size(3000);
    Scenario scenario;
    auto process = scenario.start({"forking-tcp-server", "-q", "--notify-fd", "1", "-c", "48",
                                   "--proxy-protocol", "127.0.0.1:0", "--", "cat"});
    const auto address = announced_address(process.line());
    CHECK(ask(address, std::string{header} + "hello\n") == "hello\n");
    CHECK(eventually([&] { return children_of(process.pid()).empty(); }));
    const auto before = count_descriptors(process.pid());

    Tally tally;
    int restarts = 0;
    {
        SilentGuests guests;
        std::atomic<bool> is_over = false;
        const std::jthread restarter{[&] {
            for (int next = 200; !is_over; std::this_thread::yield())
                if (tally.begun >= next) {
                    process.kill(SIGHUP);
                    ++restarts;
                    next += 200;
                }
        }};
        at_once(
            tally,
            [&](auto& random) {
                if (random() % 16 == 0) return guests.add(address, random);
                call(address, process.pid(), random, tally, 2000, header);
            },
            [&] { return tally.begun++ < total; });
        is_over = true;
    }
    MESSAGE(tally.answered.load(), " answered, ", tally.ended.load(), " ended by ",
            tally.kills.load(), " kills, ", restarts, " restarts");
    CHECK(tally.failed == 0);
    CHECK(tally.answered > tally.ended);
    CHECK(tally.ended <= tally.kills);
    CHECK(restarts > 0);
    CHECK(eventually([&] { return children_of(process.pid()).empty(); }));
    CHECK(eventually([&] { return count_descriptors(process.pid()) <= before; }));
    CHECK(ask(address, std::string{header} + "still here\n") == "still here\n");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("each of many recorded connections gets its answer and its transcript") {
    const int total = load_size(400);
    Scenario scenario;
    std::filesystem::create_directory("transcripts");
    auto process = scenario.start({"forking-tcp-server", "-q", "--notify-fd", "1", "-c", "8",
                                   "--record", "transcripts", "127.0.0.1:0", "--", "cat"});
    const auto address = announced_address(process.line());
    Tally tally;
    at_once(
        tally,
        [&](auto& random) {
            const auto text = numbered_text(1 + random() % 500);
            ++(ask(address, text) == text ? tally.answered : tally.failed);
        },
        [&] { return tally.begun++ < total; });
    CHECK(tally.failed == 0);
    CHECK(tally.answered == total);
    CHECK(eventually([&] { return children_of(process.pid()).empty(); }));
    const std::filesystem::directory_iterator files{"transcripts"};
    CHECK(std::distance(begin(files), end(files)) == total);
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}
