#include "download/ordered_output.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"

#include <atomic>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <thread>
#include <vector>

using namespace ipcbox;
using namespace ipcbox::download;

namespace {

constexpr auto name = "the output";

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

// An output to a pipe, and the bytes that came out of it.
struct Written {
    Pipe pipe = make_pipe();
    download::OrderedOutput output{pipe.writer.get(), name};

    std::string all() {
        output.flush();
        pipe.writer = Fd{};
        return read_to_end(pipe.reader.get(), 64UL * 1024 * 1024, name, soon());
    }
};

} // namespace

TEST_CASE("documents come in their order, however their pieces do") {
    Written written;
    auto& output = written.output;
    output.write(2, "e", soon());
    output.write(1, "c", soon());
    output.write(0, "a", soon());
    output.write(2, "f", soon());
    output.finish(2, soon());
    output.write(0, "b", soon());
    output.finish(0, soon());
    output.write(1, "d", soon());
    output.finish(1, soon());
    output.finish(3, soon()); // an empty document
    output.write(4, "g", soon());
    CHECK(written.all() == "abcdefg");
}

TEST_CASE("only the document whose turn it is may be written directly") {
    Written written;
    auto& output = written.output;
    output.write(0, "a", soon());
    output.write(1, "c", soon());
    CHECK_FALSE(output.flush(1, soon()));
    CHECK(output.flush(0, soon()));
    write_all(output.fd(), "b", name);
    output.finish(0, soon());
    CHECK(output.flush(1, soon()));
    write_all(output.fd(), "d", name);
    CHECK(written.all() == "abcd");
}

TEST_CASE("a worker with more than is kept waits for its turn") {
    Written written;
    auto& output = written.output;
    const std::string most(download::OrderedOutput::max_kept, 'b');
    output.write(1, most, soon());
    CHECK_THROWS_AS(output.write(1, "c", Deadline::after(std::chrono::milliseconds{1})), TimedOut);
    CHECK_THROWS_AS(output.write(2, "d", Deadline::after({})), TimedOut);

    std::string all;
    {
        const std::jthread reader{[&] {
            all = read_to_end(written.pipe.reader.get(), 64UL * 1024 * 1024, name, soon());
        }};
        const std::jthread writer{[&] {
            output.write(1, "c", soon());
            output.finish(1, soon());
            output.flush();
            written.pipe.writer = Fd{};
        }};
        output.write(0, "a", soon());
        output.finish(0, soon());
    }
    CHECK(all == "a" + most + "c");
}

TEST_CASE("several workers make one stream") {
    constexpr std::size_t documents = 64;
    const std::string piece(50'000, 'x');
    Written written;
    std::string expected;
    for (std::size_t number = 0; number < documents; ++number)
        expected += std::to_string(number) + piece + piece + "\n";
    std::string all;
    {
        const std::jthread reader{[&] {
            all = read_to_end(written.pipe.reader.get(), 64UL * 1024 * 1024, name, soon());
        }};
        std::atomic<std::size_t> next = 0;
        {
            std::vector<std::jthread> workers;
            for (int worker = 0; worker < 4; ++worker)
                workers.emplace_back([&] {
                    for (auto number = next++; number < documents; number = next++) {
                        written.output.write(number, std::to_string(number), soon());
                        for (const auto& part : {piece, piece, std::string{"\n"}})
                            written.output.write(number, part, soon());
                        written.output.finish(number, soon());
                    }
                });
        }
        written.output.flush();
        written.pipe.writer = Fd{};
    }
    CHECK(all == expected);
}

TEST_CASE("after giving up nobody waits, and nothing is written") {
    Written written;
    auto& output = written.output;
    const std::string most(download::OrderedOutput::max_kept, 'b');
    output.write(0, "a", soon());
    output.write(1, most, soon());
    const std::jthread waiter{[&] { output.write(2, "c", soon()); }};
    output.give_up();
    output.write(0, "a", soon());
    output.write(1, most, soon());
    CHECK_FALSE(output.flush(0, soon()));
    output.finish(0, soon());
    CHECK(written.all().empty());
}

TEST_CASE("a failed write is an error with a name") {
    const Fd full = open_file("/dev/full", O_WRONLY);
    download::OrderedOutput output{full.get(), name};
    output.write(0, "a", soon());
    constexpr auto message = "cannot write the output: No space left on device";
    CHECK_THROWS_WITH_AS((void)output.flush(0, soon()), message, SysError);
    CHECK_THROWS_WITH_AS(output.write(0, std::string(100'000, 'x'), soon()), message, SysError);
}

TEST_CASE("a reader that does not read holds up a writer only until its deadline") {
    const Pipe pipe = make_pipe();
    set_nonblocking(pipe.writer);
    download::OrderedOutput output{pipe.writer.get(), name};
    CHECK_THROWS_AS(output.write(0, std::string(2UL * 1024 * 1024, 'x'),
                                 Deadline::after(std::chrono::milliseconds{1})),
                    TimedOut);
}
