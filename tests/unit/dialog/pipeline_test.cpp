#include "dialog/pipeline.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::dialog;

namespace {

using Words = std::vector<std::string>;

StageEnd exited(int status) {
    return {WaitStatus::exited(status)};
}
StageEnd killed(int signal) {
    return {WaitStatus::killed(signal, false)};
}

std::vector<std::size_t> failed(const std::vector<StageEnd>& ends,
                                BrokenPipe broken_pipe = BrokenPipe::excused) {
    return failed_stages(ends, broken_pipe);
}

std::vector<StageEnd> run(const std::vector<Words>& commands, const PipelineStreams& streams) {
    std::vector<PipelineStage> stages;
    for (const auto& words : commands)
        stages.push_back({"/bin/sh", words});
    Pipeline pipeline{stages, streams};
    while (!pipeline.has_ended()) {
        auto entries = pipeline.poll_entries();
        (void)poll_until(entries, Deadline::never());
        pipeline.work(entries);
    }
    return pipeline.ends();
}

} // namespace

TEST_CASE("a stage failed when it did not end with 0") {
    CHECK(failed({exited(0), exited(0)}).empty());
    CHECK(failed({exited(1), exited(0), exited(2)}) == std::vector<std::size_t>{0, 2});
    CHECK(failed({killed(SIGTERM), exited(0)}) == std::vector<std::size_t>{0});
}

TEST_CASE("a broken pipe is not a failure when a later stage succeeded") {
    CHECK(failed({killed(SIGPIPE), exited(0)}).empty());
    CHECK(failed({exited(141), exited(0)}).empty());
    CHECK(failed({killed(SIGPIPE), killed(SIGPIPE), exited(0)}).empty());
    CHECK(failed({killed(SIGPIPE), exited(1)}) == std::vector<std::size_t>{0, 1});
    CHECK(failed({exited(0), killed(SIGPIPE)}) == std::vector<std::size_t>{1});
    CHECK(failed({killed(SIGPIPE), exited(0)}, BrokenPipe::strict) == std::vector<std::size_t>{0});
}

TEST_CASE("a stage's output is the next one's input, and each end is reported") {
    const Pipe out = make_pipe();
    const auto ends = run({{"sh", "-c", "echo 1; exit 3"}, {"sh", "-c", "cat; echo 2"}},
                          {.output = out.writer.get()});
    REQUIRE(ends.size() == 2);
    CHECK(ends[0].status.as_exit_status() == 3);
    CHECK(ends[1].status.succeeded());
    std::array<std::byte, 8> text{};
    CHECK(read_some(out.reader.get(), text, "a pipe") == 4);
}

TEST_CASE("a stage that cannot be executed leaves none of the others") {
    const Words cat{"cat"};
    const std::vector<PipelineStage> stages{{"/bin/cat", cat}, {"/no/such/program", cat}};
    const Pipe in = make_pipe();
    CHECK_THROWS_AS((Pipeline{stages, {.input = in.reader.get()}}), Error);
    CHECK_FALSE(has_children());
}
