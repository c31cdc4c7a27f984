// Each system call of the applets that use an etcd cluster fails once, in its turn, as in
// sweep_test.cpp. Whatever fails, the applet ends in time with a status of the contract and at most
// one line with the reason, and no token stays taken that nobody has.
#include "cluster/token_sets.h"
#include "core/error.h"
#include "core/io.h"
#include "harness/environment.h"
#include "harness/etcd_client.h"
#include "harness/token_bench.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

struct Sweep {
    const char* what;
    std::vector<Words> before; // run without faults
    Words command;
    // How many places in the queue are left after a 0, and after anything else.
    std::size_t after_success = 0;
    std::size_t after_failure = 0;
};

// NAME is a set that only this run uses, OWNER the number of a process that waits for us. TTL is so
// long that only giving can free the token in time; when all keepers fail at the same place, only
// the end of the lease can.
const std::vector<Sweep>& sweeps() {
    const Words make{"sem-create", "-n", "1", "NAME"};
    const Words lend{"sem-take", "-j", "1", "NAME"};
    static const std::vector<Sweep> all{
        {"sem-take with a command", {}, {"sem-take", "-j1", "--ttl", "TTL", "NAME", "true"}},
        {"sem-take", {make}, {"sem-take", "-J", "NAME"}, 1},
        {"sem-take -n when taken", {lend}, {"sem-take", "-n", "NAME", "true"}, 1, 1},
        {"sem-take --hold-for",
         {},
         {"sem-take", "-j1", "--ttl", "TTL", "--hold-for", "OWNER", "NAME"},
         1},
        {"sem-give", {lend}, {"sem-give", "-J", "NAME"}, 0, 1},
        {"sem-create --resize", {make}, {"sem-create", "--resize", "2", "NAME"}},
        {"ipc-list", {lend}, {"ipc-list", "NAME"}, 1, 1},
    };
    return all;
}

// A failed answer may be the answer to what was done: giving and lending may have taken place.
bool may_be_done(const Sweep& sweep) {
    return sweep.after_success != sweep.after_failure;
}

constexpr std::array errors{ENOMEM, EMFILE, EAGAIN, ECONNRESET, EPERM, EACCES};

// No applet makes more calls than this that can return the same errno.
constexpr int max_calls = 300;

bool is_of_the_contract(int status) {
    constexpr std::array statuses{exit_status::done,           exit_status::failed,
                                  exit_status::timed_out,      exit_status::before_command,
                                  exit_status::cannot_execute, exit_status::not_found};
    return std::ranges::find(statuses, status) != statuses.end();
}

class EtcdSweep {
  public:
    // Runs the sweep's command with one fault; false when no call was left to fail.
    bool fails_somewhere(const Sweep& sweep, const std::string& fault) {
        const auto name = fmt::format("@sweep{}", ++runs_);
        auto owner = bench_.scenario.start({"cat"});
        for (const auto& words : sweep.before)
            REQUIRE(bench_.scenario.run(filled(words, name, owner.pid())).status == 0);
        const auto mark = bench_.scenario.path("mark");
        std::filesystem::remove(mark);
        Result result;
        {
            const Variable which{"IPCBOX_FAULT", fault};
            const Variable where{"IPCBOX_FAULT_MARK", mark};
            INFO("sweep: ", std::string{sweep.what}, ", ", fault);
            const auto words = filled(sweep.command, name, owner.pid(), fault);
            CHECK_NOTHROW(result = bench_.scenario.run(words)); // it ends in time
        }
        if (!std::filesystem::exists(mark)) return false;
        const auto fired = read_to_end(open_file(mark, O_RDONLY).get(), 100'000, "mark");
        INFO("sweep: ", std::string{sweep.what});
        CAPTURE(fault);
        CAPTURE(fired);
        CAPTURE(result.err);
        CAPTURE(result.status);
        CHECK(is_of_the_contract(result.status));
        CHECK(std::ranges::count(result.err, '\n') <= 1);
        CHECK((result.err.empty() || result.err.starts_with(sweep.command.front() + ": ")));
        CHECK((!result.err.empty() || result.status == 0 || fired.starts_with("write")));
        const bool is_done = result.status == 0;
        CHECK(eventually([&] {
            const auto length = queue_length(name);
            return length == (is_done ? sweep.after_success : sweep.after_failure) ||
                   (!is_done && may_be_done(sweep) && length == sweep.after_success &&
                    sweep.command.front() != "sem-take");
        }));
        // What is kept for the owner ends with it.
        owner.close_input();
        (void)owner.wait();
        if (std::ranges::find(sweep.command, "OWNER") != sweep.command.end())
            CHECK(eventually([&] { return queue_length(name) == 0; }));
        return true;
    }

  private:
    [[nodiscard]] Words filled(Words words, const std::string& name, pid_t owner,
                               const std::string& fault = {}) const {
        for (auto& word : words)
            if (word == "TTL")
                word = contains(fault, "child") ? "2" : "10m";
            else if (word == "NAME")
                word = name;
            else if (word == "OWNER")
                word = fmt::format("{}", owner);
        words.insert(words.begin() + 1, {"--etcd", bench_.cluster.endpoints()});
        return words;
    }

    std::size_t queue_length(const std::string& name) {
        const auto keys = cluster::TokenKeys::parse(name);
        return cluster::look_at_set(client_, keys, soon()).queue.size();
    }

    TokenBench bench_;
    cluster::EtcdClient client_{access_to(bench_.cluster.endpoints())};
    int runs_ = 0;
};

} // namespace

TEST_CASE("whatever fails, one line reports it and no token stays taken that nobody has") {
    EtcdSweep all;
    for (const auto& sweep : sweeps())
        for (const int error : errors)
            for (const char* const process : {"", "child"}) {
                int number = 1;
                while (number <= max_calls &&
                       all.fails_somewhere(sweep, fmt::format("*={}@{}{}", strerrorname_np(error),
                                                              process, number)))
                    ++number;
                CHECK(number <= max_calls);
            }
}
