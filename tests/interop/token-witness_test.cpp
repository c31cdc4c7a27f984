// Are there ever too many jobs inside at the same time? The witness knows nothing of etcd: each job
// has a connection to its Unix socket while it runs. In the meantime guards, commands and members
// of the cluster are killed and stopped at random. IPCBOX_SOAK=120 runs this for 120 seconds, with
// more workers and longer stops. IPCBOX_SEED=1 chooses the faults.
#include "core/io.h"
#include "core/poll.h"
#include "harness/token_bench.h"
#include "net/address.h"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <map>
#include <random>
#include <sys/socket.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

// Counts the jobs that are running. Ends each of them after its time by closing its connection.
class Witness {
  public:
    explicit Witness(const std::string& path)
        : listener_(listen_at(net::Address::unix_path(path), 128)) {}

    // Watches for at most DURATION.
    void watch(Duration duration, std::minstd_rand& random) {
        auto deadline = Deadline::after(duration);
        for (const auto& job : jobs_)
            deadline = std::min(deadline, job.end);
        std::vector<pollfd> entries{{listener_.get(), POLLIN, 0}};
        for (const auto& job : jobs_)
            entries.push_back({job.connection.get(), POLLIN, 0});
        (void)poll_until(entries, deadline);
        look(random);
    }

    [[nodiscard]] std::size_t max_inside() const { return max_inside_; }
    [[nodiscard]] std::size_t inside() const { return jobs_.size(); }
    [[nodiscard]] int count() const { return count_; }
    void end_all() { jobs_.clear(); }

    Duration shortest = 5ms;
    Duration longest = 150ms;

  private:
    struct Job {
        Fd connection;
        Deadline end;
    };

    // First takes out the jobs that have left, and then counts those that have come. Otherwise a
    // job that came after another had left would seem to run at the same time.
    void look(std::minstd_rand& random) {
        for (;;) {
            if (!wait_for(listener_.get(), POLLIN, Deadline::after(0ms))) break;
            const int accepted = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
            if (accepted < 0) break;
            drop_ended();
            const auto range = static_cast<unsigned long>((longest - shortest) / 1us);
            jobs_.push_back(
                {Fd::adopt(accepted), Deadline::after(shortest + random() % range * 1us)});
            ++count_;
            drop_ended();
            max_inside_ = std::max(max_inside_, jobs_.size());
        }
        drop_ended();
        std::erase_if(jobs_, [](const Job& job) { return job.end.passed(); });
    }
    void drop_ended() {
        std::erase_if(jobs_, [](const Job& job) {
            return wait_for(job.connection.get(), POLLIN, Deadline::after(0ms));
        });
    }

    Fd listener_;
    std::vector<Job> jobs_;
    std::size_t max_inside_ = 0;
    int count_ = 0;
};

struct Run {
    unsigned seed = 0;
    Duration length = 8s;
    int slots = 3;
    int workers = 8;
    std::string ttl = "2";
    Duration longest_stop = 4s;
    bool long_jobs = false;
};

// Workers that take tokens again and again, and the faults that they meet.
class Storm {
  public:
    Storm(TokenBench& bench, Witness& witness, const Run& run)
        : bench_(bench), witness_(witness), run_(run), random_(run.seed) {}

    void rage() {
        const auto end = Deadline::after(run_.length);
        auto next_fault = Deadline::after(300ms);
        // A long run must have at least two.
        const bool is_long = run_.length > 20s;
        std::vector<Deadline> outages;
        for (int third = 1; is_long && third <= 2; ++third)
            outages.push_back(Deadline::after(third * run_.length / 3));
        while (!end.passed()) {
            keep_working();
            undo(Undo::those_due);
            if (std::erase_if(outages, [](const Deadline& when) { return when.passed(); }) > 0)
                lose_quorum(7s);
            if (next_fault.passed()) {
                fault();
                next_fault = Deadline::after(between_faults());
            }
            witness_.watch(10ms, random_);
        }
        undo(Undo::all);
    }

    // Waits until all workers have ended without being killed.
    void calm_down() {
        for (auto& worker : workers_)
            REQUIRE(eventually([&] {
                witness_.watch(10ms, random_);
                return !worker.process.is_running();
            }));
        workers_.clear();
    }

    [[nodiscard]] int faults() const { return faults_; }
    [[nodiscard]] int outages() const { return outages_; }

  private:
    struct Worker {
        Process process;
        bool has_family = false;
    };
    struct Repair {
        Deadline when;
        std::function<void()> work;
    };

    Duration between_faults() {
        constexpr unsigned range = 1000;
        return run_.length > 20s ? 500ms + random_() % range * 1ms
                                 : 150ms + random_() % (range / 3) * 1ms;
    }
    Duration stop_length() {
        const auto range = static_cast<unsigned long>((run_.longest_stop - 300ms) / 1ms);
        return 300ms + random_() % range * 1ms;
    }

    void keep_working() {
        std::erase_if(workers_, [](const Worker& worker) { return !worker.process.is_running(); });
        while (std::ssize(workers_) < run_.workers) {
            const bool has_family = random_() % 4 == 0;
            const auto* const job = has_family ? "catsock-client ./witness </dev/null; :"
                                               : "exec catsock-client ./witness </dev/null";
            workers_.push_back({bench_.scenario.start(bench_.words(
                                    {"-q", "-j", fmt::format("{}", run_.slots), "--ttl", run_.ttl},
                                    "@witness", {"sh", "-c", job})),
                                has_family});
        }
    }

    enum class Undo { those_due, all };
    void undo(Undo which) {
        std::erase_if(repairs_, [which](const Repair& repair) {
            if (which == Undo::those_due && !repair.when.passed()) return false;
            repair.work();
            return true;
        });
    }

    void stop_for(pid_t pid, Duration duration) {
        if (pid == 0 || ::kill(pid, SIGSTOP) < 0) return;
        // The pid stays that of the stopped process, unless the process is killed in the meantime.
        repairs_.push_back({Deadline::after(duration), [pid] { (void)::kill(pid, SIGCONT); }});
    }

    void fault() {
        ++faults_;
        auto& worker = workers_[random_() % workers_.size()];
        const auto front = worker.process.pid();
        switch (random_() % 8) {
        case 0: // processes that the command started go on, as with every wrapper
            if (!worker.has_family) worker.process.kill(SIGKILL);
            return;
        case 1:
            if (const auto keeper = keeper_of(front); keeper != 0) (void)::kill(keeper, SIGKILL);
            return;
        case 2:
            if (const auto command = command_of(front); command != 0 && !worker.has_family)
                (void)::kill(command, SIGKILL);
            return;
        case 3:
        case 4:
            return stop_for(keeper_of(front), stop_length());
        case 5:
            return stop_for(front, stop_length());
        default:
            return fault_of_members();
        }
    }

    void fault_of_members() {
        if (has_member_fault_ && !member_fault_end_.passed()) return;
        has_member_fault_ = true;
        const auto duration = stop_length();
        member_fault_end_ = Deadline::after(duration + 1s);
        const auto member = random_() % bench_.cluster.size();
        switch (random_() % 3) {
        case 0:
            bench_.cluster.kill(member);
            repairs_.push_back(
                {Deadline::after(duration), [this, member] { bench_.cluster.restart(member); }});
            return;
        case 1:
            return lose_quorum(duration);
        default:
            stop_member(member, duration);
        }
    }
    void lose_quorum(Duration duration) {
        ++outages_;
        const auto member = random_() % bench_.cluster.size();
        stop_member(member, duration);
        stop_member((member + 1) % bench_.cluster.size(), duration);
    }
    void stop_member(std::size_t member, Duration duration) {
        bench_.cluster.stop(member);
        repairs_.push_back(
            {Deadline::after(duration), [this, member] { bench_.cluster.resume(member); }});
    }

    TokenBench& bench_;
    Witness& witness_;
    Run run_;
    std::minstd_rand random_;
    std::vector<Worker> workers_;
    std::vector<Repair> repairs_;
    bool has_member_fault_ = false;
    Deadline member_fault_end_ = Deadline::never();
    int faults_ = 0;
    int outages_ = 0; // how often the quorum was lost
};

int number_in_environment(const char* name, int otherwise) {
    const char* const text = std::getenv(name);
    return text != nullptr ? std::atoi(text) : otherwise;
}

// Whether jobs that wait for each other can have all slots at the same time.
bool can_have_all(TokenBench& bench, int slots) {
    std::vector<Process> holders;
    for (int number = 0; number < slots; ++number)
        holders.push_back(bench.scenario.start(
            bench.words({"-q", "-w", "30"}, "@witness", TokenBench::holding())));
    return std::ranges::all_of(holders, [](Process& holder) { return holder.line() == "in"; });
}

// Stops the keeper of a long job past its lease. Returns how many jobs were inside at the same time
// at most.
std::size_t max_beside_stopped_keeper(const std::string& on_lost) {
    TokenBench bench;
    Witness witness{"./witness"};
    witness.shortest = witness.longest = 60s;
    witness.longest += 1s;
    std::minstd_rand random{1};
    const Words job{"sh", "-c", "exec catsock-client ./witness </dev/null"};
    auto first = bench.scenario.start(
        bench.words({"-q", "-j1", "--ttl", "6", "--on-lost", on_lost}, "@witness", job));
    REQUIRE(eventually([&] {
        witness.watch(10ms, random);
        return witness.inside() == 1;
    }));
    REQUIRE(::kill(keeper_of(first.pid()), SIGSTOP) == 0);
    auto second = bench.scenario.start(bench.words({"-q", "-j1"}, "@witness", job));
    REQUIRE(eventually([&] {
        witness.watch(10ms, random);
        return witness.count() == 2;
    }));
    return witness.max_inside();
}

} // namespace

TEST_CASE("there are never too many inside, whatever is killed and stopped, and nothing is left") {
    const int soak = number_in_environment("IPCBOX_SOAK", 0);
    Run run;
    run.seed = static_cast<unsigned>(number_in_environment("IPCBOX_SEED", ::getpid()));
    if (soak > 0) {
        run.length = std::chrono::seconds{soak};
        run.workers = 20;
        run.ttl = "6";
        run.longest_stop = 12s;
    }
    run.slots = number_in_environment("IPCBOX_SLOTS", run.slots);
    CAPTURE(run.seed);
    TokenBench bench{3};
    Witness witness{"./witness"};
    Storm storm{bench, witness, run};
    storm.rage();
    storm.calm_down();
    MESSAGE("seed ", run.seed, ": ", storm.faults(), " faults, ", storm.outages(),
            " times without a quorum, ", witness.count(), " jobs, at most ", witness.max_inside(),
            " inside");
    CHECK(witness.max_inside() <= static_cast<std::size_t>(run.slots));
    CHECK(witness.count() > run.slots);
    CHECK(eventually([&] { return bench.queue_length("@witness") == 0; }));
    CHECK(can_have_all(bench, run.slots));
}

TEST_CASE("the witness detects too many holders: with --on-lost warn there are") {
    CHECK(max_beside_stopped_keeper("warn") == 2);
    CHECK(max_beside_stopped_keeper("kill") == 1);
}
