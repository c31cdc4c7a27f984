#include "fifo/run_queue.h"

#include "core/child.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

TEST_CASE("the caller is counted among the running tasks") {
    CHECK(fifo::count_runnable_threads() > 0);
}

TEST_CASE("a process has run when it has had a CPU for long enough") {
    const auto spinner = fork_child([]() -> int {
        volatile unsigned turns = 0;
        for (;;)
            (void)turns;
    });
    fifo::RunnableProcesses crowd;
    CHECK_FALSE(crowd.have_run(1h));
    CHECK(eventually([&] { return crowd.have_run(1us); }));
}
