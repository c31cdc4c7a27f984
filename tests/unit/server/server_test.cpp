#include "server/server.h"

#include "core/io.h"
#include "core/poll.h"
#include "harness/server_record.h"
#include "net/connect.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::server;

namespace {

using Words = std::vector<std::string>;

// A server on a loopback port, in a thread.
class Running {
  public:
    explicit Running(ServerConfig config)
        : signals_(handled_signals()), listeners_(net::listen_tcp({"127.0.0.1", 0})),
          address_(listeners_.front().address),
          server_(std::move(config), listeners_, signals_, record) {
        go_on();
    }
    ~Running() {
        if (thread_.joinable()) (void)stop();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    [[nodiscard]] Fd connect() const {
        return net::connect_tcp(std::vector{address_}, "the server", std::nullopt,
                                Deadline::after(std::chrono::seconds{30}));
    }
    void signal(int number) const { REQUIRE(::kill(::getpid(), number) == 0); }
    void go_on() {
        server_.start();
        thread_ = std::jthread{[this] { outcome_ = server_.run(); }};
    }
    // Waits for run(), which ends by a signal or at the total, and returns its outcome.
    [[nodiscard]] Server::Outcome wait() {
        thread_.join();
        return outcome_;
    }
    [[nodiscard]] Server::Outcome stop() {
        signal(SIGTERM);
        return wait();
    }

    test::ServerRecord record;

  private:
    // The signals of a server. None may be ignored: nohup makes us ignore HUP.
    static sigset_t handled_signals() {
        ::signal(SIGHUP, SIG_DFL);
        return signal_set({SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD});
    }

    SignalFd signals_;
    std::vector<net::Listener> listeners_;
    net::Address address_;
    Server server_;
    Server::Outcome outcome_{};
    std::jthread thread_;
};

ServerConfig shell(const char* script) {
    ServerConfig config;
    config.program.program = "/bin/sh";
    config.program.arguments = {"sh", "-c", script};
    config.program.environment = Environment::ours();
    return config;
}

} // namespace

TEST_CASE("a connection is told from its beginning to the status of its program") {
    Running server{shell("cat; exit 3")};
    const Fd client = server.connect();
    write_all(client.get(), "hello", "a socket");
    REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
    CHECK(read_to_end(client.get(), 100, "a socket") == "hello");
    server.record.wait_for("ended 3");
    CHECK(server.record.told() == Words{"connected", "started", "ended 3"});
    CHECK(server.stop() == Server::Outcome::drained);
    CHECK(server.record.told().back() == "draining");
}

TEST_CASE("the server ends by itself after its total, and serves nobody else") {
    auto config = shell("echo served");
    config.admission.total = 1;
    Running server{std::move(config)};
    const Fd client = server.connect();
    CHECK(read_to_end(client.get(), 100, "a socket") == "served\n");
    CHECK(server.wait() == Server::Outcome::drained);
}

TEST_CASE("a second TERM kills the connections that the first one left time") {
    Running server{shell("echo up; exec sleep 1000")};
    const Fd client = server.connect();
    std::array<std::byte, 3> line{};
    CHECK(read_some(client.get(), line, "a socket") > 0);
    server.signal(SIGTERM);
    server.record.wait_for("draining");
    CHECK(server.stop() == Server::Outcome::cut_short);
    CHECK(server.record.told().back() == "ended 137");
}

TEST_CASE("HUP ends run() with its connections alive, and it can go on") {
    Running server{shell("echo up; exec cat")};
    const Fd client = server.connect();
    std::array<std::byte, 3> line{};
    CHECK(read_some(client.get(), line, "a socket") > 0);
    server.record.wait_for("started");
    server.signal(SIGUSR1);
    server.record.wait_for("table of 1");
    server.signal(SIGHUP);
    CHECK(server.wait() == Server::Outcome::restart);
    server.go_on();
    const Fd second = server.connect();
    for (const auto* one : {&client, &second})
        REQUIRE(::shutdown(one->get(), SHUT_WR) == 0);
    CHECK(read_to_end(second.get(), 100, "a socket") == "up\n");
    CHECK(server.stop() == Server::Outcome::drained);
}

TEST_CASE("a client without a place is told so, when the server has a line for that") {
    auto config = shell("echo up; exec cat");
    config.admission.places = 1;
    config.over = "full\n";
    Running server{std::move(config)};
    const Fd first = server.connect();
    std::array<std::byte, 3> line{};
    CHECK(read_some(first.get(), line, "a socket") > 0);
    const Fd second = server.connect();
    CHECK(read_to_end(second.get(), 100, "a socket") == "full\n");
    server.record.wait_for("refused: no place is free");
    REQUIRE(::shutdown(first.get(), SHUT_WR) == 0);
    CHECK(server.stop() == Server::Outcome::drained);
}

TEST_CASE("a program that does not exist is trouble, and its connection ends") {
    ServerConfig config;
    config.program.program = "/no/such/program";
    config.program.arguments = {"program"};
    Running server{std::move(config)};
    const Fd client = server.connect();
    CHECK(read_to_end(client.get(), 100, "a socket").empty());
    server.record.wait_for("trouble: cannot execute /no/such/program: No such file or directory");
    server.record.wait_for("ended 126");
    CHECK(server.stop() == Server::Outcome::drained);
}
