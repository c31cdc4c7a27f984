#include "dialog/tap.h"

#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>

using namespace ipcbox;
using namespace ipcbox::dialog;

namespace {

void work_to_end(Tap& tap) {
    while (!tap.is_over()) {
        auto entry = tap.poll_entry();
        (void)poll_until({&entry, 1}, Deadline::never());
        tap.work();
    }
}

// A pipe with TEXT in it and no writer.
Fd pipe_with(std::string_view text) {
    Pipe pipe = make_pipe();
    write_all(pipe.writer.get(), text, "a pipe");
    return std::move(pipe.reader);
}

} // namespace

TEST_CASE("a tap between two pipes copies all that flows into its file") {
    const test::Scenario scenario;
    Pipe to = make_pipe();
    Tap tap{pipe_with("one\ntwo"), std::move(to.writer), scenario.path("copy")};
    work_to_end(tap);
    CHECK(read_to_end(to.reader.get(), 100, "a pipe") == "one\ntwo");
    CHECK(scenario.read_file("copy") == "one\ntwo");
    CHECK(tap.bytes() == 7);
}

TEST_CASE("a tap serves a reader that is not a pipe") {
    const test::Scenario scenario;
    Tap tap{pipe_with("text"), open_file(scenario.path("out"), O_WRONLY | O_CREAT, 0600),
            scenario.path("copy")};
    work_to_end(tap);
    CHECK(scenario.read_file("out") == "text");
    CHECK(scenario.read_file("copy") == "text");
}

TEST_CASE("a tap whose reader has gone lets go of its writer") {
    const test::Scenario scenario;
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    Pipe from = make_pipe();
    Pipe to = make_pipe();
    to.reader = Fd{};
    write_all(from.writer.get(), "text", "a pipe");
    Tap tap{std::move(from.reader), std::move(to.writer), scenario.path("copy")};
    work_to_end(tap);
    CHECK_THROWS(write_all(from.writer.get(), "more", "a pipe"));
    ::signal(SIGPIPE, before);
}

TEST_CASE("a tap whose copy cannot be written serves its reader all the same") {
    const test::Scenario scenario;
    Pipe to = make_pipe();
    Tap shared{pipe_with("text"), std::move(to.writer), "/dev/full"};
    work_to_end(shared);
    CHECK(read_to_end(to.reader.get(), 100, "a pipe") == "text");
    CHECK(shared.failure() == "cannot write /dev/full: No space left on device");
    Tap copied{pipe_with("text"), open_file(scenario.path("out"), O_WRONLY | O_CREAT, 0600),
               "/dev/full"};
    work_to_end(copied);
    CHECK(scenario.read_file("out") == "text");
    CHECK(copied.failure() == shared.failure());
}
