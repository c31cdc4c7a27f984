#include "download/destination.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::download;
using namespace ipcbox::test;

TEST_CASE("standard output gets a document in its turn, changed by its filter") {
    auto pipe = make_pipe();
    OrderedOutput output{pipe.writer.get(), "a pipe"};
    std::uint64_t written = 0;
    ToOutput second{output, 1, nullptr, written, Deadline::never()};
    second.write("second");
    CHECK_FALSE(second.direct()); // not its turn yet
    ToOutput first{output, 0,
                   [](std::string_view piece) {
                       return piece.empty() ? std::string{"!"} : fmt::format("<{}>", piece);
                   },
                   written, Deadline::never()};
    first.write("first");
    CHECK_FALSE(first.direct()); // the filter has to see the bytes
    first.finish();
    output.finish(0, Deadline::never());
    CHECK(second.direct()->fd == pipe.writer.get());
    output.finish(1, Deadline::never());
    output.flush();
    pipe.writer = Fd{};
    CHECK(read_to_end(pipe.reader.get(), 100, "a pipe") == "<first>!second");
    CHECK(written == 11);
}

TEST_CASE("a special file is written as it is") {
    const Scenario scenario;
    ToSpecial null{"/dev/null"};
    null.write("x");
    const std::string full_name = "/dev/full";
    ToSpecial full{full_name};
    CHECK_THROWS_AS(full.write("x"), SysError);
    auto pipe = make_pipe();
    {
        const auto name = fmt::format("/dev/fd/{}", pipe.writer.get());
        ToSpecial descriptor{name};
        descriptor.write("hello");
        CHECK(descriptor.direct()->fd == pipe.writer.get());
    }
    // The descriptor is still open.
    write_all(pipe.writer.get(), ", world", "a pipe");
    pipe.writer = Fd{};
    CHECK(read_to_end(pipe.reader.get(), 100, "a pipe") == "hello, world");
}
