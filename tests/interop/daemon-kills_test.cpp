// Daemons are started and ended again and again, while daemon-run, its keepers and the daemons are
// killed at random. No process is left, no lock is held, and no pid file names a process that is
// not its daemon. IPCBOX_LOAD=10000 starts this many.
#include "harness/kills.h"
#include "harness/scenario.h"

#include "core/error.h"
#include "core/file_lock.h"
#include "core/io.h"
#include "core/process_stat.h"
#include "process/pid_file.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

constexpr int places = 4; // daemons that run at the same time
constexpr auto longest_pause = 4ms;

std::string pid_file(int place) {
    return fmt::format("pid{}", place);
}

// The argument of a daemon says which place it has.
Words command(int place) {
    return {"sleep", fmt::format("{}", 100'000 + place)};
}

Words start_words(int place, std::minstd_rand& random) {
    const auto name = pid_file(place);
    const std::vector<Words> options{
        {"-l", "lock" + name},
        {"-l", name},
        {"-l", "lock" + name, "--respawn", "3/1m"},
        {"-l", name, "--respawn", "3/1m", "-o", "out" + name, "--rotate", "1M:1"},
    };
    Words words{"daemon-run", "--settle", "0", "-p", name};
    for (const auto& chosen : {options[random() % options.size()], command(place)})
        words.insert(words.end(), chosen.begin(), chosen.end());
    return words;
}

// The daemon that the pid file of a place names, and the commands of that place that are running.
struct Seen {
    pid_t daemon = 0;
    std::string id;
    std::vector<pid_t> commands{};
};

std::string command_line(pid_t pid) {
    const auto path = fmt::format("/proc/{}/cmdline", pid);
    try {
        return read_to_end(open_file(path, O_RDONLY).get(), 10'000, path);
    } catch (const SysError&) { // the process has ended
        return {};
    }
}

Seen look_at(int place, const std::vector<pid_t>& pids) {
    Seen seen;
    if (const auto daemon = process::daemon_of(pid_file(place)))
        seen = {daemon->identity.pid, daemon->identity.text()};
    const auto words = command(place);
    for (const auto pid : pids)
        if (command_line(pid) == words[0] + '\0' + words[1] + '\0') seen.commands.push_back(pid);
    return seen;
}

bool is_among(pid_t pid, const std::vector<pid_t>& pids) {
    return std::ranges::find(pids, pid) != pids.end();
}

// Whether the pid file names the only command of the place, or its keeper. If none runs, it must
// name nothing.
bool is_true(const Seen& seen, const std::vector<pid_t>& pids) {
    if (seen.daemon == 0) return seen.commands.empty();
    if (!is_among(seen.daemon, pids) || seen.commands.size() != 1) return false;
    const auto stat = read_process_stat(seen.commands[0]);
    return seen.daemon == seen.commands[0] || (stat && stat->parent == seen.daemon);
}

std::string all_processes() {
    std::string text;
    for (const auto pid : process::descendants_of(::getpid())) {
        auto line = command_line(pid);
        std::ranges::replace(line, '\0', ' ');
        const auto stat = read_process_stat(pid);
        text += fmt::format("{} (parent {}, {}): {}\n", pid, stat ? stat->parent : 0,
                            stat ? stat->state : '-', line);
    }
    for (int place = 0; place < places; ++place)
        if (const auto daemon = process::daemon_of(pid_file(place)))
            text += fmt::format("{}: {}\n", pid_file(place), daemon->identity.text());
    return text;
}

// Waits until the pid files of all places are true. A killed process needs a moment to end, and a
// process that daemon-run has just forked goes on when daemon-run is killed.
std::vector<Seen> settled() {
    std::vector<Seen> all;
    const bool is_settled = eventually([&all] {
        while (reap_child())
            ;
        const auto pids = process::descendants_of(::getpid());
        all.clear();
        bool are_true = true;
        for (int place = 0; place < places; ++place) {
            all.push_back(look_at(place, pids));
            are_true = are_true && is_true(all.back(), pids);
        }
        return are_true;
    });
    CHECK_MESSAGE(is_settled, all_processes());
    return all;
}

bool is_free(const std::string& lock) {
    const Fd file = open_file(lock, O_RDWR | O_CREAT, 0600);
    return lock_until(file.get(), LockKind::exclusive, Deadline::after(0ms), lock);
}

struct Tally {
    int started = 0;
    int up = 0;
    int kills = 0;
    int stopped = 0;
    std::map<int, int> statuses{}; // the statuses of daemon-run
};

class Storm {
  public:
    explicit Storm(Scenario& scenario)
        : scenario_(scenario), random_(static_cast<unsigned>(::getpid())) {}

    // Daemons come and go at all places, and some are started a second time.
    void round() {
        const bool is_calm = random_() % 4 == 0;
        start(is_calm);
        const auto seen = settled();
        for (int place = 0; place < places; ++place)
            end(place, seen[static_cast<std::size_t>(place)], is_calm);
        CHECK_MESSAGE(eventually([is_calm] {
                          for (int place = 0; place < places && !is_calm; ++place)
                              if (const auto late = process::daemon_of(pid_file(place)))
                                  (void)try_to_signal(late->handle, SIGKILL);
                          return is_all_gone();
                      }),
                      all_processes());
        for (int place = 0; place < places; ++place) {
            CHECK_FALSE(process::daemon_of(pid_file(place)));
            CHECK(is_free("lock" + pid_file(place)));
            if (scenario_.exists(pid_file(place))) CHECK(is_free(pid_file(place)));
        }
    }

    [[nodiscard]] const Tally& tally() const { return tally_; }

  private:
    void kill_one() {
        if (signal_one_of(process::descendants_of(::getpid()), SIGKILL, random_) != 0)
            ++tally_.kills;
    }

    void start(bool is_calm) {
        struct Start {
            int place;
            Process process;
        };
        std::vector<Start> starts;
        for (int place = 0; place < places; ++place)
            for (unsigned number = 0; number < (random_() % 4 == 0 ? 2U : 1U); ++number)
                starts.push_back({place, scenario_.start(start_words(place, random_))});
        if (!is_calm)
            for (auto kills = random_() % 6; kills > 0; --kills) {
                go_on_for_up_to(longest_pause, random_);
                kill_one();
            }
        std::array<int, places> up{};
        for (auto& [place, process] : starts) {
            const auto result = process.wait();
            ++tally_.started;
            ++tally_.statuses[result.status];
            if (result.status == 0) ++up.at(static_cast<std::size_t>(place));
            CAPTURE(result.err);
            // daemon-run can be killed after it has printed what it started.
            constexpr int killed = 128 + SIGKILL;
            CHECK((result.out.empty() ? result.status != 0
                                      : result.status == 0 || result.status == killed));
            if (is_calm)
                CHECK((result.status == 0 || contains(result.err, ": cannot start sleep: ")));
        }
        for (const int number : up) {
            tally_.up += number;
            if (is_calm) CHECK(number == 1);
        }
    }

    void end(int place, const Seen& seen, bool is_calm) {
        const Words stop{"daemon-run", "-p", pid_file(place), "--stop"};
        if (seen.daemon == 0) {
            // A process that a killed daemon-run had forked can have started the daemon by now.
            const int status = scenario_.run(stop).status;
            CHECK((status == 1 || (!is_calm && status == 0)));
            return;
        }
        if (!is_calm && random_() % 3 == 0) {
            ::kill(seen.daemon, SIGKILL); // our child; nobody else waits for it
            ++tally_.kills;
            return;
        }
        if (!is_calm && random_() % 3 == 0) {
            auto stopping = scenario_.start(stop);
            go_on_for_up_to(longest_pause, random_);
            stopping.kill(SIGKILL);
            ++tally_.kills;
            if (stopping.wait().status != 0) (void)scenario_.run(stop);
            return;
        }
        const auto result = scenario_.run(stop);
        CAPTURE(result.err);
        // The start may have seen a process that was killed a moment ago.
        if (!is_calm && result.status == 1) return;
        CHECK(result.status == 0);
        // In a storm, a process that waited for the lock can have started the next one by now.
        const auto next = process::daemon_of(pid_file(place));
        CHECK((!scenario_.exists(pid_file(place)) ||
               (!is_calm && (!next || next->identity.text() != seen.id))));
        ++tally_.stopped;
    }

    Scenario& scenario_;
    std::minstd_rand random_;
    Tally tally_;
};

} // namespace

TEST_CASE(
    "daemons that are killed with those that start them leave no process, lock or false pid file") {
    const int total = load_size(120);
    Scenario scenario;
    Storm storm{scenario};
    while (storm.tally().started < total)
        storm.round();
    const auto& tally = storm.tally();
    std::string statuses;
    for (const auto& [status, count] : tally.statuses)
        statuses += fmt::format(" {}: {}", status, count);
    MESSAGE(tally.started, " started, ", tally.up, " up, ", tally.stopped, " stopped, ",
            tally.kills, " kills; statuses of daemon-run:", statuses);
    CHECK(tally.up > 0);
    CHECK(tally.kills > 0);
}
