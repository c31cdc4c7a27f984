#include "process/tree_signals.h"

#include "core/child.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/process_stat.h"
#include "harness/scenario.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

using namespace ipcbox;
using namespace ipcbox::process;

namespace {

Root root_of(pid_t pid) {
    return {pid, read_process_stat(pid)->start_ticks};
}

constexpr const char* nested = "setsid sh -c 'sleep 1000 & echo ready; wait' & wait";

} // namespace

TEST_CASE("a tree gets the signal from its root to its leaves") {
    test::Scenario scenario;
    auto shell = scenario.start_shell(nested);
    REQUIRE(shell.line() == "ready");
    const auto all = descendants_of(shell.pid());
    const auto root = root_of(shell.pid());
    const auto result = signal_trees({&root, 1}, SIGKILL, Waking::those_we_stopped);
    CHECK(result.signalled == 3);
    CHECK(result.refused.empty());
    CHECK(test::eventually([&] { return std::ranges::all_of(all, test::has_ended); }));
}

TEST_CASE("a tree gets the signal although it has more processes than we can have descriptors") {
    test::Scenario scenario;
    auto shell = scenario.start_shell("for i in $(seq 60); do sleep 1000 & done; echo ready; wait");
    REQUIRE(shell.line() == "ready");
    const auto root = root_of(shell.pid());
    const auto all = descendants_of(shell.pid());
    const auto signal_with_few_descriptors = [&] {
        return fork_child([&] {
                   const rlimit few{40, 40};
                   ::setrlimit(RLIMIT_NOFILE, &few);
                   try {
                       const auto result =
                           signal_trees({&root, 1}, SIGKILL, Waking::those_we_stopped);
                       return result.signalled == all.size() + 1 ? 0 : 1;
                   } catch (const std::exception&) {
                       return 2;
                   }
               })
            .wait();
    };
    CHECK(signal_with_few_descriptors().as_exit_status() == 0);
    CHECK(test::eventually([&] { return std::ranges::all_of(all, test::has_ended); }));
}

TEST_CASE("a tree gets the signal although only two descriptors are left") {
    test::Scenario scenario;
    auto shell = scenario.start_shell("sleep 1000 & echo ready; wait");
    REQUIRE(shell.line() == "ready");
    const auto root = root_of(shell.pid());
    const auto signal_with_two_descriptors = [&] {
        return fork_child([&] {
                   std::vector<Fd> all;
                   const rlimit few{64, 64};
                   ::setrlimit(RLIMIT_NOFILE, &few);
                   try {
                       for (;;)
                           all.push_back(open_file("/dev/null", O_RDONLY));
                   } catch (const SysError&) {
                       all.resize(all.size() - 2);
                   }
                   return signal_trees({&root, 1}, SIGKILL, Waking::everybody).signalled == 2 ? 0
                                                                                              : 1;
               })
            .wait();
    };
    CHECK(signal_with_two_descriptors().as_exit_status() == 0);
}

TEST_CASE("a signal that does not kill leaves nobody stopped") {
    test::Scenario scenario;
    auto shell = scenario.start_shell("trap 'echo got' USR1; (trap '' USR1; echo ready; "
                                      "exec sleep 1000) & while :; do wait; done");
    REQUIRE(shell.line() == "ready");
    const auto root = root_of(shell.pid());
    CHECK(signal_trees({&root, 1}, SIGUSR1, Waking::those_we_stopped).signalled == 2);
    CHECK(shell.line() == "got");
}

TEST_CASE("a root that is another process by now is left alone") {
    test::Scenario scenario;
    auto shell = scenario.start_shell("echo ready; read line");
    REQUIRE(shell.line() == "ready");
    auto root = root_of(shell.pid());
    ++root.start_ticks;
    CHECK(signal_trees({&root, 1}, SIGKILL, Waking::everybody).signalled == 0);
    CHECK(shell.is_running());
}

TEST_CASE("a tree that forks at full speed does not outgrow us") {
    test::Scenario scenario;
    // Each process forks two more, down to the last generation.
    scenario.write_file("fork", "#!/bin/sh\n[ $1 -eq 0 ] && exec sleep 1000\n"
                                "./fork $(($1 - 1)) & ./fork $(($1 - 1)) & wait\n");
    REQUIRE(scenario.shell("chmod +x fork").status == 0);
    for (const std::size_t size : {1U, 3U, 10U, 30U}) {
        auto shell = scenario.start_shell("./fork 6");
        REQUIRE(test::eventually([&] { return descendants_of(shell.pid()).size() > size; }));
        const auto root = root_of(shell.pid());
        const auto result = signal_trees({&root, 1}, SIGKILL, Waking::everybody);
        CHECK(result.signalled > size);
        CHECK(test::eventually(
            [] { return std::ranges::all_of(descendants_of(::getpid()), test::has_ended); }));
    }
}
