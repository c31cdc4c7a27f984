#include "http/bulk_move.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/socket_pair.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "net/connect.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <thread>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

using Outcome = http::BulkMove::Step::Outcome;
constexpr auto name = "the document";
constexpr std::size_t size = 3UL * 1024 * 1024 + 7;

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

// Moves SIZE bytes from FROM to TO. Returns the step after them.
http::BulkMove::Step move_all(int from, int to, std::uint64_t most = size) {
    http::BulkMove mover{from, to, name};
    for (std::uint64_t left = size;;) {
        const auto step = mover.step(left > 0 ? std::min(left, most) : 1, soon());
        if (step.outcome == Outcome::would_wait)
            REQUIRE(wait_for(from, POLLIN, soon()));
        else if (step.outcome != Outcome::moved)
            return step;
        else
            left -= step.size;
    }
}

// A source of each kind. Its end gives the bytes that its thread writes.
enum class Kind { socket, pipe };
struct Source {
    Fd end;
    std::jthread writer;

    Source(Kind kind, std::string text) {
        Fd other;
        if (kind == Kind::socket) {
            auto pair = make_socket_pair();
            end = std::move(pair.ours);
            other = std::move(pair.theirs);
        } else {
            auto pipe = make_pipe();
            end = std::move(pipe.reader);
            other = std::move(pipe.writer);
        }
        set_nonblocking(end);
        writer = std::jthread{[text = std::move(text), to = std::move(other)] {
            write_all(to.get(), text, "a test", soon());
        }};
    }
};

// A TCP connection to PEER.
Fd connected(const Peer& peer) {
    Fd socket = net::connect_tcp(std::vector{peer.address()}, peer.text(), std::nullopt, soon());
    set_nonblocking(socket);
    return socket;
}

} // namespace

TEST_CASE("bytes move from sockets and pipes into files, at the place of earlier writes") {
    const Scenario scenario;
    const auto text = numbered_text(size);
    for (const auto kind : {Kind::socket, Kind::pipe})
        for (const int flags : {O_TRUNC, O_APPEND}) {
            scenario.write_file("out", "before ");
            const Source source{kind, text};
            const Fd out = open_file("out", O_WRONLY | flags);
            CHECK(move_all(source.end.get(), out.get()).outcome == Outcome::ended);
            CHECK(scenario.read_file("out") == (flags == O_APPEND ? "before " + text : text));
        }
}

TEST_CASE("bytes move from sockets and pipes to a pipe with a slow reader") {
    const auto text = numbered_text(size);
    for (const auto kind : {Kind::socket, Kind::pipe}) {
        const Source source{kind, text};
        Pipe pipe = make_pipe();
        std::string all;
        {
            const std::jthread reader{
                [&] { all = read_to_end(pipe.reader.get(), 2 * size, name, soon()); }};
            CHECK(move_all(source.end.get(), pipe.writer.get()).outcome == Outcome::ended);
            pipe.writer = Fd{};
        }
        CHECK(all == text);
    }
}

TEST_CASE("bytes from TCP, a pipe and a Unix socket move to /dev/null") {
    const auto text = numbered_text(size);
    const Fd null = open_file("/dev/null", O_WRONLY);
    const Peer peer{[&](const Fd& client) { say(client, text); }};
    const Fd socket = connected(peer);
    CHECK(move_all(socket.get(), null.get()).outcome == Outcome::ended);
    for (const auto kind : {Kind::socket, Kind::pipe}) {
        const Source source{kind, text};
        CHECK(move_all(source.end.get(), null.get(), 100'000).outcome == Outcome::ended);
    }
}

TEST_CASE("at most the asked number of bytes moves, without waiting for them") {
    const Fd null = open_file("/dev/null", O_WRONLY);
    const Pipe out = make_pipe();
    for (const auto& to : {&null, &out.writer}) {
        const auto from_pipe = make_pipe();
        const auto from_socket = make_socket_pair();
        set_nonblocking(from_pipe.reader);
        set_nonblocking(from_socket.ours);
        for (const auto* ends : {&from_pipe.writer, &from_socket.theirs}) {
            const bool is_pipe = ends == &from_pipe.writer;
            const int from = is_pipe ? from_pipe.reader.get() : from_socket.ours.get();
            http::BulkMove mover{from, to->get(), name};
            CHECK(mover.step(10, soon()).outcome == Outcome::would_wait);
            write_all(ends->get(), "hello", name);
            CHECK(mover.step(3, soon()).size == 3);
            CHECK(mover.step(10, soon()).size == 2);
            CHECK(mover.step(10, soon()).outcome == Outcome::would_wait);
        }
    }
}

TEST_CASE("a reset is reported, and is not an end") {
    const Scenario scenario;
    const Peer peer{[](const Fd& client) {
        std::byte byte{};
        (void)read_some(client.get(), {&byte, 1}, "a client", soon());
        reset_when_closed(client);
    }};
    const Pipe pipe = make_pipe();
    const Fd null = open_file("/dev/null", O_WRONLY);
    const Fd file = open_file("out", O_WRONLY | O_CREAT, 0600);
    for (const auto* to : {&pipe.writer, &null, &file}) {
        const Fd socket = connected(peer);
        say(socket, "x"); // now the connection exists
        const auto step = move_all(socket.get(), to->get());
        CHECK(step.outcome == Outcome::failed);
        CHECK(step.error == ECONNRESET);
    }
}

TEST_CASE("a failed write is an error with a name") {
    for (const auto kind : {Kind::socket, Kind::pipe}) {
        const Source source{kind, "hello"};
        REQUIRE(wait_for(source.end.get(), POLLIN, soon()));
        const Fd full = open_file("/dev/full", O_WRONLY);
        http::BulkMove mover{source.end.get(), full.get(), name};
        CHECK_THROWS_WITH_AS((void)mover.step(10, soon()),
                             "cannot write the document: No space left on device", SysError);
    }
}

TEST_CASE("a reader that does not read holds up a move only until the deadline") {
    for (const auto kind : {Kind::socket, Kind::pipe}) {
        // More bytes than a pipe holds. The writer goes on when the other end is closed.
        const auto pair = make_socket_pair();
        const auto from_pipe = make_pipe();
        const Fd& from = kind == Kind::socket ? pair.ours : from_pipe.reader;
        const Fd& other = kind == Kind::socket ? pair.theirs : from_pipe.writer;
        set_nonblocking(from);
        const Pipe out = make_pipe();
        http::BulkMove mover{from.get(), out.writer.get(), name};
        const auto fill = [&] {
            for (;;) {
                write_all(other.get(), "some more", name);
                (void)mover.step(size, Deadline::after({}));
            }
        };
        CHECK_THROWS_AS(fill(), TimedOut);
    }
}

TEST_CASE("urgent data does not end the document, and no byte behind it is lost") {
    const std::string half(200'000, 'x');
    const Peer server{[&](const Fd& client) {
        say(client, half);
        (void)::send(client.get(), "!", 1, MSG_OOB);
        say(client, half);
    }};
    const Scenario scenario;
    const auto moved = [&](int to) {
        const Fd from = connected(server);
        http::BulkMove mover{from.get(), to, name};
        std::size_t all = 0;
        for (;;) {
            const auto step = mover.step(size, soon());
            all += step.size;
            if (step.outcome == Outcome::would_wait) REQUIRE(wait_for(from.get(), POLLIN, soon()));
            if (step.outcome == Outcome::ended || step.outcome == Outcome::failed) return all;
        }
    };
    SUBCASE("in a file") {
        const Fd file = open_file(scenario.path("f"), O_RDWR | O_CREAT, 0600);
        CHECK(moved(file.get()) == 2 * half.size());
    }
    SUBCASE("in a pipe") {
        Pipe pipe = make_pipe();
        std::jthread reader{[&] { (void)read_to_end(pipe.reader.get(), size, "a pipe"); }};
        CHECK(moved(pipe.writer.get()) == 2 * half.size());
        pipe.writer = Fd{};
    }
}
