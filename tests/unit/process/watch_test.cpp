#include "process/watch.h"

#include "core/child.h"
#include "core/pidfd.h"
#include "core/spawn.h"

#include <csignal>
#include <doctest/doctest.h>
#include <set>

using namespace ipcbox;
using namespace ipcbox::process;
using namespace std::chrono_literals;

TEST_CASE("ends are reported by number, and so is a deadline that passes") {
    std::vector<Child> children;
    Watch watch;
    for (std::size_t number = 0; number < 3; ++number) {
        children.push_back(spawn("/bin/sleep", std::vector<std::string>{"sleep", "1000"}, {}));
        watch.add(*open_process(children.back().pid()), number);
    }
    std::set<std::size_t> ended;
    const auto on_end = [&](std::size_t number, std::optional<WaitStatus>) {
        ended.insert(number);
    };
    CHECK_FALSE(watch.wait(Deadline::after(1ms), on_end));
    CHECK(watch.left() == 3);
    children[1].kill(SIGKILL);
    CHECK(watch.wait(Deadline::never(), on_end));
    CHECK(ended == std::set<std::size_t>{1});
    children[0].kill(SIGKILL);
    children[2].kill(SIGKILL);
    while (watch.left() > 0)
        CHECK(watch.wait(Deadline::after(30s), on_end));
    CHECK(ended.size() == 3);
}

TEST_CASE("the status is reported once the parent has waited, where the kernel knows it") {
    Child child = spawn("/bin/sh", std::vector<std::string>{"sh", "-c", "exit 7"}, {});
    const auto handle = *open_process(child.pid());
    CHECK(child.wait().as_exit_status() == 7);
    if (const auto status = exit_status_of(handle)) CHECK(status->as_exit_status() == 7);
}
