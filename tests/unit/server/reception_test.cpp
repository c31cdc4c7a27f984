#include "server/reception.h"

#include "core/io.h"
#include "core/poll.h"
#include "core/socket_pair.h"
#include "harness/scenario.h"
#include "harness/server_record.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::server;

namespace {

using Words = std::vector<std::string>;

// A reception, and everything that it needs of a server.
struct World {
    explicit World(ServerConfig wanted) : config(std::move(wanted)) {}

    // The client's end of a connection that the reception has welcomed.
    Fd welcome() {
        auto pair = make_socket_pair();
        OpenConnection connection;
        connection.told.peer = *net::Address::parse_ip("192.0.2.7", 4711);
        connection.told.local = *net::Address::parse_ip("192.0.2.1", 80);
        connection.told.started = Deadline::Clock::now();
        connection.socket = std::move(pair.ours);
        connection.place = admission.take().value();
        reception.welcome(std::move(connection));
        return std::move(pair.theirs);
    }

    const ServerConfig config;
    test::ServerRecord record;
    Event changed;
    Admission admission{config.admission};
    ServedChildren children{config.limits, [](const std::string&) {}, changed};
    Reception reception{config, record, admission, children, changed};
};

ServerConfig greeting_only() {
    ServerConfig config;
    config.greeting = [](const Connection&) { return std::string{"hello\n"}; };
    return config;
}

std::string next_text(const Fd& client) {
    std::array<char, 100> text{};
    const auto size = read_some(client.get(), std::as_writable_bytes(std::span{text}), "a client");
    return {text.data(), size};
}

} // namespace

TEST_CASE("without a program, the greeting is the whole answer") {
    World world{greeting_only()};
    const Fd client = world.welcome();
    CHECK(read_to_end(client.get(), 100, "a client") == "hello\n");
    CHECK(world.record.told() == Words{"connected", "ended"});
    CHECK(world.admission.served() == 1);
    CHECK(world.children.empty());
}

TEST_CASE("the program follows the greeting, and its connection belongs to the children") {
    const test::Scenario scenario;
    auto config = greeting_only();
    config.program.program = "/bin/sh";
    config.program.arguments = {"sh", "-c", "read line; exit 3"};
    config.program.environment = Environment::ours();
    World world{std::move(config)};
    const Fd client = world.welcome();
    CHECK(next_text(client) == "hello\n");
    CHECK(world.record.told() == Words{"connected", "started"});
    CHECK(world.children.connections().size() == 1);
    CHECK_FALSE(world.reception.has_waiting());
    CHECK(world.reception.next_deadline().is_never());
    write_all(client.get(), "go\n", "a client");
    std::vector<EndedChild> ended;
    CHECK(test::eventually([&] {
        world.children.act_on_deadlines();
        ended = world.children.reap();
        return !ended.empty();
    }));
    REQUIRE(ended.size() == 1);
    CHECK(ended.front().status.as_exit_status() == 3);
}

TEST_CASE("a client that the rules deny gets nothing, and is not counted") {
    test::Scenario scenario;
    scenario.write_file("rules", "deny all\n");
    auto config = greeting_only();
    config.access.rules_file = scenario.path("rules");
    config.admission.places = 1;
    World world{std::move(config)};
    for (int client = 0; client < 2; ++client)
        CHECK(read_to_end(world.welcome().get(), 100, "a client").empty());
    CHECK(world.record.told() == Words{"refused: line 1 of the rules denies it",
                                       "refused: line 1 of the rules denies it"});
    CHECK(world.admission.served() == 0);
}

TEST_CASE("a client that is turned away gets the last line, and its farewell takes a moment") {
    ServerConfig config;
    config.over = "full\n";
    World world{std::move(config)};
    auto pair = make_socket_pair();
    world.reception.turn_away({}, std::move(pair.ours));
    CHECK(read_to_end(pair.theirs.get(), 100, "a client") == "full\n");
    CHECK(world.record.told() == Words{"refused: no place is free"});
    CHECK_FALSE(world.reception.next_deadline().is_never());
    pair.theirs = Fd{};
    world.reception.work();
    CHECK(world.reception.next_deadline().is_never());
}

TEST_CASE("a shortage is reported once in a while") {
    World world{{}};
    for (int time = 0; time < 3; ++time)
        world.reception.shortage("cannot fork");
    CHECK(world.record.told() == Words{"trouble: cannot fork; trying again"});
}

TEST_CASE("connections that wait for a process can be taken out and put back, and are started") {
    const test::Scenario scenario;
    ServerConfig config;
    config.program.program = "/bin/sh";
    config.program.arguments = {"sh", "-c", "echo up"};
    config.program.environment = Environment::ours();
    World world{std::move(config)};
    auto pair = make_socket_pair();
    OpenConnection connection;
    connection.told.started = Deadline::Clock::now();
    connection.socket = std::move(pair.ours);
    std::vector<OpenConnection> waiting;
    waiting.push_back(std::move(connection));
    world.reception.put_back(std::move(waiting));
    CHECK(world.reception.has_waiting());
    waiting = world.reception.take_waiting();
    CHECK(waiting.size() == 1);
    CHECK_FALSE(world.reception.has_waiting());
    world.reception.put_back(std::move(waiting));
    CHECK(world.reception.next_deadline().passed());
    world.reception.work();
    CHECK_FALSE(world.reception.has_waiting());
    CHECK(next_text(pair.theirs) == "up\n");
    CHECK(world.record.told() == Words{"started"});
}
