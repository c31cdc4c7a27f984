#include "net/relay.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <array>
#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::size_t size = 3UL * 1024 * 1024 + 7;

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

struct SocketPair {
    Fd ours;
    Fd theirs;
};

enum class Blocking { no, yes };

SocketPair make_sockets(Blocking ours) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        throw SysError("make", "sockets");
    SocketPair pair{Fd::adopt(ends[0]), Fd::adopt(ends[1])};
    if (ours == Blocking::no) set_nonblocking(pair.ours);
    return pair;
}

// A server that accepts one connection, and does WORK with it.
class Server {
  public:
    explicit Server(Peer::Work work)
        : sockets_(make_sockets(Blocking::no)), thread_([this, work = std::move(work)] {
              const Fd client = std::move(sockets_.theirs);
              try {
                  work(client);
              } catch (const Error&) { // NOLINT(bugprone-empty-catch): the client is gone
              }
          }) {}

    ~Server() { sockets_.ours = Fd{}; } // ends the thread
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] net::RelayEnd end() const {
        return net::RelayEnd::socket(sockets_.ours.get(), "a server");
    }

  private:
    SocketPair sockets_;
    std::jthread thread_;
};

// An object that gives TEXT to a reader.
class Input {
  public:
    Input(const Scenario& scenario, std::string_view kind, const std::string& text) {
        if (kind == "file") {
            scenario.write_file("in", text);
            fd_ = open_file(scenario.path("in"), O_RDONLY);
            return;
        }
        Fd writer;
        if (kind == "pipe") {
            Pipe pipe = make_pipe();
            fd_ = std::move(pipe.reader);
            writer = std::move(pipe.writer);
        } else {
            auto pair = make_sockets(Blocking::yes);
            fd_ = std::move(pair.ours);
            writer = std::move(pair.theirs);
        }
        writer_ = std::jthread{
            [text, fd = std::move(writer)] { write_all(fd.get(), text, "a relay", soon()); }};
    }
    [[nodiscard]] int get() const { return fd_.get(); }

  private:
    Fd fd_;
    std::jthread writer_;
};

// An object to write to. Knows what was written.
class Output {
  public:
    Output(const Scenario& scenario, std::string_view kind) : scenario_(scenario), kind_(kind) {
        if (kind == "file" || kind == "appended") {
            const int append = kind == "file" ? 0 : O_APPEND;
            fd_ = open_file(scenario.path("out"), O_WRONLY | O_CREAT | O_TRUNC | append, 0600);
            return;
        }
        if (kind == "pipe") {
            Pipe pipe = make_pipe();
            fd_ = std::move(pipe.writer);
            reader_fd_ = std::move(pipe.reader);
        } else {
            auto pair = make_sockets(Blocking::yes);
            fd_ = std::move(pair.ours);
            reader_fd_ = std::move(pair.theirs);
        }
        reader_ = std::jthread{[this] { text_ = receive_all(reader_fd_); }};
    }
    [[nodiscard]] int get() const { return fd_.get(); }
    ~Output() { fd_ = Fd{}; } // ends the reader
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    [[nodiscard]] std::string text() {
        fd_ = Fd{};
        if (!reader_.joinable()) return scenario_.read_file("out");
        reader_.join();
        return text_;
    }

  private:
    const Scenario& scenario_;
    std::string kind_;
    Fd fd_;
    Fd reader_fd_;
    std::string text_;
    std::jthread reader_;
};

std::string failure(const net::RelayEnd& asker, const net::RelayEnd& answerer,
                    const net::RelayOptions& options, net::RelayCounts& counts) {
    try {
        net::relay(asker, answerer, options, counts, soon());
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

} // namespace

TEST_CASE("all bytes get through between all kinds of descriptors") {
    const Scenario scenario;
    const auto text = numbered_text(size);
    for (const std::string from : {"pipe", "file", "socket"})
        for (const std::string to : {"pipe", "file", "appended", "socket"})
            for (const bool tapped : {false, true}) {
                CAPTURE(from);
                CAPTURE(to);
                CAPTURE(tapped);
                const Server server{echo};
                const Input input{scenario, from, text};
                Output output{scenario, to};
                net::RelayCounts counts;
                net::RelayOptions options;
                std::array<std::size_t, 2> seen{};
                if (tapped)
                    options.filter = [&seen](net::Flow flow, std::string_view chunk) {
                        seen[flow == net::Flow::answer ? 1 : 0] += chunk.size();
                        return chunk;
                    };
                net::relay(net::RelayEnd::streams(input.get(), output.get()), server.end(), options,
                           counts, soon());
                CHECK(counts.request == size);
                CHECK(counts.answer == size);
                CHECK(counts.first_answer);
                CHECK(output.text() == text);
                if (tapped) CHECK(seen == std::array{size, size});
            }
}

TEST_CASE("bytes pass between two sockets of ours, as in a server") {
    const auto text = numbered_text(size);
    const Server program{echo};
    const auto client = make_sockets(Blocking::no);
    std::string answer;
    net::RelayCounts counts;
    {
        const std::jthread writer{[&] {
            say(client.theirs, text);
            ::shutdown(client.theirs.get(), SHUT_WR);
        }};
        const std::jthread reader{[&] { answer = receive_all(client.theirs); }};
        net::relay(net::RelayEnd::socket(client.ours.get(), "a client"), program.end(), {}, counts,
                   soon());
    }
    CHECK(answer == text);
}

TEST_CASE("the server learns the end of the input, and has time for its answer") {
    const Scenario scenario;
    const Server server{[](const Fd& client) {
        const auto question = receive_all(client);
        say(client, fmt::format("{}? ", question));
        say(client, "42");
    }};
    const Input input{scenario, "pipe", "6 x 7"};
    Output output{scenario, "pipe"};
    net::RelayCounts counts;
    net::relay(net::RelayEnd::streams(input.get(), output.get()), server.end(), {}, counts, soon());
    CHECK(output.text() == "6 x 7? 42");
}

TEST_CASE("after the answer, a request that has begun is finished, and a silent asker is not "
          "waited for") {
    const Scenario scenario;
    using Finish = net::RelayOptions::FinishRequest;
    net::RelayOptions options;
    std::string got;
    // The server closes its half at once, as `nc -N </dev/null >file` does, and goes on reading.
    const auto half_close = [&got](std::string_view greeting) {
        return [&got, greeting](const Fd& client) {
            say(client, greeting);
            ::shutdown(client.get(), SHUT_WR);
            got = receive_all(client);
        };
    };
    Output output{scenario, "pipe"};
    net::RelayCounts counts;
    SUBCASE("an answer, and a pipe that nobody writes to") {
        const Server server{half_close("hello")};
        const Pipe silent = make_pipe();
        net::relay(net::RelayEnd::streams(silent.reader.get(), output.get()), server.end(), {},
                   counts, soon());
        CHECK(output.text() == "hello");
    }
    SUBCASE("no answer yet, and everything is sent") {
        const auto text = numbered_text(size);
        {
            const Server server{half_close("")};
            const Input input{scenario, "pipe", text};
            net::relay(net::RelayEnd::streams(input.get(), output.get()), server.end(), {}, counts,
                       soon());
        }
        CHECK(got == text);
    }
    SUBCASE("an answer, and a request that has to be finished in any case") {
        options.finish_request = Finish::always;
        {
            const Server server{half_close("hello")};
            Pipe late = make_pipe();
            const std::jthread writer{[&] {
                // Wait until the relay has seen the end of the answer, which has five bytes.
                CHECK(eventually([&] { return counts.answer == 5; }));
                write_all(late.writer.get(), "late", "a relay");
                late.writer = Fd{};
            }};
            net::relay(net::RelayEnd::streams(late.reader.get(), output.get()), server.end(),
                       options, counts, soon());
        }
        CHECK(got == "late");
    }
    SUBCASE("a server that closed the connection") {
        const Server server{[](const Fd&) {}};
        const Pipe silent = make_pipe();
        net::relay(net::RelayEnd::streams(silent.reader.get(), output.get()), server.end(), {},
                   counts, soon());
        CHECK(output.text().empty());
    }
}

TEST_CASE("a reset is an error, and so is a request that was not taken") {
    const Scenario scenario;
    Output output{scenario, "pipe"};
    net::RelayCounts counts;
    SUBCASE("reset") {
        const Fd listener = listen_at(*net::Address::parse_ip("127.0.0.1", 0));
        const auto address = net::local_address(listener.get());
        const Fd ours = Fd::adopt(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(ours.get(), address.data(), address.size()) == 0);
        set_nonblocking(ours);
        {
            const Fd theirs = Fd::adopt(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
            reset_when_closed(theirs);
        }
        CHECK(failure(net::RelayEnd::streams(-1, output.get()),
                      net::RelayEnd::socket(ours.get(), "a server"), {},
                      counts) == "cannot read a server: Connection reset by peer");
    }
    SUBCASE("refused, but the answer arrives") {
        const auto pair = make_sockets(Blocking::no);
        ::shutdown(pair.theirs.get(), SHUT_RD);
        say(pair.theirs, "enough");
        ::shutdown(pair.theirs.get(), SHUT_WR);
        const Input input{scenario, "file", numbered_text(size)};
        CHECK(failure(net::RelayEnd::streams(input.get(), output.get()),
                      net::RelayEnd::socket(pair.ours.get(), "a server"), {},
                      counts) == "cannot write a server: Broken pipe");
        CHECK(output.text() == "enough");
        CHECK(counts.answer == 6);
    }
}

TEST_CASE("a dead reader brings SIGPIPE even before there is a byte to write") {
    static volatile std::sig_atomic_t pipes = 0;
    pipes = 0;
    const Scenario scenario;
    std::signal(SIGPIPE, [](int) { pipes = pipes + 1; });
    const auto run = [&](const Peer::Work& work) {
        const Server server{work};
        Pipe output = make_pipe();
        output.reader = Fd{};
        net::RelayCounts counts;
        return failure(net::RelayEnd::streams(-1, output.writer.get()), server.end(), {}, counts);
    };
    CHECK(run([](const Fd& client) { say(client, "hello"); }) ==
          "cannot write standard output: Broken pipe");
    CHECK(pipes == 1);
    CHECK(run([](const Fd& client) { (void)receive_all(client); }) ==
          "cannot write standard output: Broken pipe");
    CHECK(pipes == 2);
}

TEST_CASE("an answer that is too long is cut off and is an error") {
    const Scenario scenario;
    for (const std::size_t most : {4UL, 5UL, 6UL}) {
        CAPTURE(most);
        const Server server{[](const Fd& client) { say(client, "12345"); }};
        Output output{scenario, "pipe"};
        net::RelayOptions options;
        options.max_answer = most;
        net::RelayCounts counts;
        const auto error =
            failure(net::RelayEnd::streams(-1, output.get()), server.end(), options, counts);
        CHECK(error == (most < 5 ? "cannot read a server: more than 4 bytes" : ""));
        CHECK(output.text() == std::string{"12345"}.substr(0, most));
    }
}

TEST_CASE("limits of time end a relay") {
    const Scenario scenario;
    const Server server{[](const Fd& client) { (void)receive_all(client); }};
    Output output{scenario, "pipe"};
    net::RelayCounts counts;
    net::RelayOptions options;
    const net::RelayEnd asker = net::RelayEnd::streams(-1, output.get());
    options.idle = std::chrono::milliseconds{20};
    CHECK_THROWS_WITH_AS(net::relay(asker, server.end(), options, counts, soon()),
                         "timed out: no byte was sent or received", TimedOut);
    CHECK_THROWS_WITH_AS(
        net::relay(asker, server.end(), {}, counts, Deadline::after(std::chrono::milliseconds{20})),
        "timed out: waiting for the end of the connection", TimedOut);
}

TEST_CASE("a stalled output does not keep the input from being sent") {
    const Scenario scenario;
    // The server sends more than a pipe holds before it reads. It ends when it has the whole
    // question.
    const auto question = numbered_text(size);
    std::string got;
    std::atomic<bool> taken = false;
    Pipe stalled = make_pipe();
    net::RelayCounts counts;
    std::string answer;
    {
        const Server server{[&](const Fd& client) {
            const std::jthread sender{[&] { say(client, numbered_text(size)); }};
            got = receive_all(client);
            taken = true; // from now on, somebody reads our output
        }};
        const Input input{scenario, "pipe", question};
        const std::jthread reader{[&] {
            CHECK(eventually([&] { return taken.load(); }));
            answer = receive_all(stalled.reader);
        }};
        net::relay(net::RelayEnd::streams(input.get(), stalled.writer.get()), server.end(), {},
                   counts, soon());
        stalled.writer = Fd{};
    }
    CHECK(got == question);
    CHECK(answer == question);
}

TEST_CASE("shared descriptors stay as they were") {
    const Scenario scenario;
    const Server server{echo};
    const auto text = numbered_text(1000);
    const Input input{scenario, "pipe", text};
    Output output{scenario, "socket"};
    net::RelayCounts counts;
    net::relay(net::RelayEnd::streams(input.get(), output.get()), server.end(), {}, counts, soon());
    CHECK((::fcntl(input.get(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK((::fcntl(output.get(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK(::write(output.get(), "!", 1) == 1); // the socket was not shut down
    CHECK(output.text() == text + "!");
}

TEST_CASE("a descriptor that was not opened for its use is an error at once") {
    const Scenario scenario;
    scenario.write_file("file", "text");
    const Fd write_only = open_file("file", O_WRONLY);
    const Fd read_only = open_file("file", O_RDONLY);
    const SocketPair pair = make_sockets(Blocking::no);
    net::RelayCounts counts;
    const auto answerer = net::RelayEnd::socket(pair.ours.get(), "the server");
    CHECK_THROWS_WITH_AS(net::relay(net::RelayEnd::streams(write_only.get(), write_only.get()),
                                    answerer, {}, counts),
                         "cannot read standard input: Bad file descriptor", SysError);
    CHECK_THROWS_WITH_AS(
        net::relay(net::RelayEnd::streams(-1, read_only.get()), answerer, {}, counts),
        "cannot write standard output: Bad file descriptor", SysError);
}

TEST_CASE("quit_after ends a relay whose other direction goes on") {
    Pipe input = make_pipe();
    Pipe output = make_pipe();
    const SocketPair pair = make_sockets(Blocking::no);
    net::RelayOptions options;
    options.quit_after = std::chrono::milliseconds{20};
    net::RelayCounts counts;
    input.writer = Fd{};
    net::relay(net::RelayEnd::streams(input.reader.get(), output.writer.get()),
               net::RelayEnd::socket(pair.ours.get(), "the server"), options, counts);
    CHECK(counts.quit);
    CHECK(counts.answer == 0);
}
