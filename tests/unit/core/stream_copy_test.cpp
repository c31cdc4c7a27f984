#include "core/stream_copy.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/socket_pair.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fcntl.h>

using namespace ipcbox;

namespace {

constexpr StreamNames names{"in", "out"};
constexpr std::uint64_t no_limit = 1'000'000;

} // namespace

TEST_CASE("a file, a pipe and a file of the kernel's are copied") {
    const test::Scenario scenario;
    scenario.write_file("in", "some text");
    const auto in = [&] { return open_file(scenario.path("in"), O_RDONLY); };
    const auto out = [&] {
        return open_file(scenario.path("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    };
    SUBCASE("file to file") {
        CHECK(copy_stream(in().get(), out().get(), no_limit, names) == 9);
        CHECK(scenario.read_file("out") == "some text");
    }
    SUBCASE("file to file, up to the limit") {
        CHECK(copy_stream(in().get(), out().get(), 4, names) == 4);
        CHECK(scenario.read_file("out") == "some");
    }
    SUBCASE("file to the end of a file") {
        scenario.write_file("out", "before ");
        const Fd end = open_file(scenario.path("out"), O_WRONLY | O_APPEND);
        CHECK(copy_stream(in().get(), end.get(), no_limit, names) == 9);
        CHECK(scenario.read_file("out") == "before some text");
    }
    SUBCASE("pipe to file, and file to pipe") {
        Pipe pipe = make_pipe();
        CHECK(copy_stream(in().get(), pipe.writer.get(), no_limit, names) == 9);
        pipe.writer = Fd{};
        CHECK(copy_stream(pipe.reader.get(), out().get(), no_limit, names) == 9);
        CHECK(scenario.read_file("out") == "some text");
    }
    SUBCASE("file to a device, from the position of the file") {
        const Fd from = in();
        std::byte first[5];
        REQUIRE(read_exact(from.get(), first, "in") == 5);
        const Fd null = open_file("/dev/null", O_WRONLY);
        CHECK(copy_stream(from.get(), null.get(), no_limit, names) == 4);
    }
    SUBCASE("a file that has the size 0, but is not empty") {
        const Fd version = open_file("/proc/version", O_RDONLY);
        CHECK(copy_stream(version.get(), out().get(), no_limit, names) > 0);
        Pipe pipe = make_pipe();
        const Fd again = open_file("/proc/version", O_RDONLY);
        CHECK(copy_stream(again.get(), pipe.writer.get(), no_limit, names) > 0);
    }
}

TEST_CASE("an error tells which side has failed") {
    Pipe pipe = make_pipe();
    write_all(pipe.writer.get(), "text", "a pipe");
    pipe.writer = Fd{};
    const Fd full = open_file("/dev/full", O_WRONLY);
    CHECK_THROWS_WITH_AS(copy_stream(pipe.reader.get(), full.get(), no_limit, names),
                         "cannot write out: No space left on device", SysError);
    const Fd directory = open_file("/", O_RDONLY);
    CHECK_THROWS_WITH_AS(copy_stream(directory.get(), full.get(), no_limit, names),
                         "cannot read in: Is a directory", ReadFailed);
}

TEST_CASE("a connection that is reset is no end of the stream") {
    auto [ours, theirs] = make_socket_pair();
    write_all(ours.get(), std::string_view{"unread"}, "a socket");
    write_all(theirs.get(), std::string_view{"half"}, "a socket");
    theirs = Fd{}; // resets the connection, because it has not read everything: unix(7)
    const Pipe pipe = make_pipe();
    CHECK_THROWS_AS((void)copy_stream(ours.get(), pipe.writer.get(), no_limit, names), ReadFailed);
}
