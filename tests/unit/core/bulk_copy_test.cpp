#include "core/bulk_copy.h"
#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

using namespace ipcbox;
using test::Scenario;

namespace {

constexpr std::size_t mebibyte = 1024UL * 1024;

std::vector<std::byte> numbered(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t at = 0; at < size; ++at)
        bytes[at] = static_cast<std::byte>(at ^ (at >> 8U) ^ (at >> 16U));
    return bytes;
}

} // namespace

TEST_CASE("files of all sizes, from where they stand, go in and out unchanged") {
    const Scenario scenario;
    for (const std::size_t size : {0UL, 1UL, mebibyte, 9 * mebibyte + 7}) {
        CAPTURE(size);
        const auto bytes = numbered(size);
        const Fd file = open_file(scenario.path("file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
        write_all(file.get(), "head", "a file");
        drain_memory(file.get(), bytes, "a file");
        REQUIRE(::lseek(file.get(), 4, SEEK_SET) == 4);
        CHECK(bytes_left(file.get()) == size);
        std::vector<std::byte> copy(size + 10);
        CHECK(fill_memory(file.get(), copy, "a file") == size);
        copy.resize(size);
        CHECK(copy == bytes);
        CHECK_FALSE(has_more(file.get(), "a file"));
    }
}

TEST_CASE("no more bytes are taken than there is room, and the file stands behind them") {
    const Scenario scenario;
    const auto bytes = numbered(20 * mebibyte);
    const Fd file = open_file(scenario.path("file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    write_all(file.get(), bytes, "a file");
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    std::vector<std::byte> copy(15 * mebibyte);
    CHECK(fill_memory(file.get(), copy, "a file") == copy.size());
    CHECK(bytes_left(file.get()) == 5 * mebibyte);
    CHECK(has_more(file.get(), "a file"));
}

TEST_CASE("a pipe may have more bytes than there is room") {
    const auto bytes = numbered(3 * mebibyte);
    Pipe pipe = make_pipe();
    std::jthread writer{[&] {
        drain_memory(pipe.writer.get(), bytes, "a pipe");
        write_all(pipe.writer.get(), "rest", "a pipe");
        pipe.writer = Fd{};
    }};
    std::vector<std::byte> copy(bytes.size());
    CHECK(fill_memory(pipe.reader.get(), copy, "a pipe") == bytes.size());
    CHECK(copy == bytes);
    CHECK(has_more(pipe.reader.get(), "a pipe"));
    CHECK(read_to_end(pipe.reader.get(), 10, "a pipe") == "rest");
    CHECK_FALSE(has_more(pipe.reader.get(), "a pipe"));
}

TEST_CASE("an error of either thread is ours") {
    std::vector<std::byte> room(16 * mebibyte);
    CHECK_THROWS_AS((void)fill_memory(-1, room, "nothing"), SysError);
    CHECK_THROWS_AS(drain_memory(-1, room, "nothing"), SysError);
}
