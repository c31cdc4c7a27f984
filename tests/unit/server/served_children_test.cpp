#include "server/served_children.h"

#include "core/event.h"
#include "core/spawn.h"

#include <csignal>
#include <doctest/doctest.h>
#include <sys/wait.h>

using namespace ipcbox;
using namespace ipcbox::server;

namespace {

using Words = std::vector<std::string>;

// A child without a socket, in its own group.
ServedChild start(const char* script) {
    const Words words{"sh", "-c", script};
    SpawnPlan plan;
    plan.group = ProcessGroup::own;
    const auto started = start_process("/bin/sh", words, plan);
    ServedChild child;
    child.connection.told.pid = started.pid;
    child.connection.told.started = Deadline::Clock::now();
    return child;
}

// Works as a server does, until one connection is over.
EndedChild wait_for_end(ServedChildren& children) {
    for (;;) {
        children.act_on_deadlines();
        auto ended = children.reap();
        if (!ended.empty()) return std::move(ended.front());
    }
}

} // namespace

TEST_CASE("a connection is over when its child has ended, with the child's status") {
    const Event changed;
    ServedChildren children{{}, [](const std::string&) {}, changed};
    CHECK(children.empty());
    ServedChildren::Start{children}.done(start("exit 3"));
    CHECK(children.connections().size() == 1);
    const auto ended = wait_for_end(children);
    CHECK(ended.status.as_exit_status() == 3);
    CHECK(children.empty());
}

TEST_CASE("a child that ends before it is added is not lost") {
    const Event changed;
    ServedChildren children{{}, [](const std::string&) {}, changed};
    ServedChildren::Start starting{children};
    auto child = start("exit 4");
    const pid_t pid = child.connection.told.pid;
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
    CHECK(children.reap().empty());
    starting.done(std::move(child));
    const auto ended = children.reap();
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].status.as_exit_status() == 4);
}

TEST_CASE("a connection that lasts too long is ended, and that is reported") {
    const Event changed;
    std::string told;
    ServedChildren children{{.longest = std::chrono::milliseconds{1}, .idle = {}, .handshake = {}},
                            [&](const std::string& news) { told = news; },
                            changed};
    ServedChildren::Start{children}.done(start("exec sleep 1000"));
    CHECK(changed.clear());
    CHECK_FALSE(children.next_deadline().is_never());
    CHECK(wait_for_end(children).status.signal() == SIGTERM);
    CHECK_FALSE(told.empty());
}

TEST_CASE("a signal for all reaches children that are started later, too") {
    const Event changed;
    ServedChildren children{{}, [](const std::string&) {}, changed};
    ServedChildren::Start{children}.done(start("exec sleep 1000"));
    children.signal_all(SIGTERM);
    CHECK(children.were_signalled());
    CHECK(wait_for_end(children).status.signal() == SIGTERM);
    ServedChildren::Start{children}.done(start("exec sleep 1000"));
    CHECK(wait_for_end(children).status.signal() == SIGTERM);
}

TEST_CASE("each child can be read and changed for our next image") {
    const Event changed;
    ServedChildren children{{}, [](const std::string&) {}, changed};
    ServedChildren::Start{children}.done(start("exec sleep 1000"));
    int count = 0;
    children.for_each([&](ServedChild& child) {
        ++count;
        CHECK(child.connection.told.pid > 0);
    });
    CHECK(count == 1);
    children.signal_all(SIGKILL);
    CHECK(wait_for_end(children).status.signal() == SIGKILL);
}
