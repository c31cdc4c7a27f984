#include "front/run_command.h"

#include "core/child.h"
#include "core/error.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <new>
#include <unistd.h>
#include <vector>

using namespace ipcbox;

namespace {

using Words = std::vector<std::string>;
using Work = std::function<int(const front::Command&)>;

// The status that the applet ends with.
int status_of(const Words& words, const Work& work) try {
    return front::run_command(words, work);
} catch (const Error& error) {
    return error.status();
}

} // namespace

TEST_CASE("the program is looked for before any work is done") {
    bool worked = false;
    const Work work = [&](const front::Command&) {
        worked = true;
        return 0;
    };
    CHECK(status_of({"no-such-command"}, work) == exit_status::not_found);
    CHECK(status_of({"/nonexistent/command"}, work) == exit_status::not_found);
    CHECK(status_of({""}, work) == exit_status::not_found);
    CHECK(status_of({"/dev/null"}, work) == exit_status::cannot_execute);
    CHECK(status_of({"/"}, work) == exit_status::cannot_execute);
    CHECK_FALSE(worked);
    CHECK(status_of({"true"}, work) == 0);
    CHECK(worked);
}

TEST_CASE("the status of the work is that of the applet") {
    for (const int status : {0, 1, 75, 124})
        CHECK(status_of({"true"}, [&](const front::Command&) { return status; }) == status);
}

TEST_CASE("a failure before the command is 125, unless it has a status of its own") {
    const auto failing = [](int status) -> Work {
        return [=](const front::Command&) -> int { throw Error("it failed", status); };
    };
    CHECK(status_of({"true"}, failing(exit_status::failed)) == exit_status::before_command);
    CHECK(status_of({"true"}, [](const front::Command&) -> int { throw std::bad_alloc{}; }) ==
          exit_status::before_command);
    for (const int own : {exit_status::timed_out, exit_status::cannot_execute, exit_status::usage})
        CHECK(status_of({"true"}, failing(own)) == own);
}

TEST_CASE("a command that we become gets its words and our process") {
    const Words words{"sh", "-c", "test $$ = $PPID_OF_OURS -a \"$*\" = 'a b'; exit $(($? + 40))",
                      "sh", "a",  "b"};
    Child child = fork_child([&] {
        ::setenv("PPID_OF_OURS", std::to_string(::getpid()).c_str(), 1);
        return status_of(words, [](const front::Command& command) -> int { command.become(); });
    });
    CHECK(child.wait().as_exit_status() == 40);
}

TEST_CASE("a command knows its program's path and the words it was given") {
    const Words words{"sh", "-c", "exit"};
    const front::Command command{words};
    CHECK(command.program().ends_with("/sh"));
    CHECK(command.words().size() == 3);
    CHECK(command.words().front() == "sh");
}
