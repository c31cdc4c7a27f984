// https as a clock. Compiled only where ipcbox-tls is built.
#ifdef IPCBOX_HAS_TLS
#include "harness/clock_answers.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"
#include "harness/tls_peer.h"
#include "http/date.h"

#include <atomic>
#include <cmath>
#include <csignal>
#include <ctime>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::time_t hour = 3600;

// Serves a clock that is an hour ahead of this host's.
TlsPeer::Work says_date(std::string* question = nullptr) {
    return [question](TlsConnection& client) {
        std::string request;
        while (!request.ends_with("\r\n\r\n")) {
            const auto piece = client.receive();
            if (piece.empty()) return;
            request += piece;
        }
        if (question != nullptr) *question = request;
        client.say("HTTP/1.1 403 Forbidden\r\nDate: " + http::http_date(time_now() + hour) +
                   "\r\n\r\n");
        client.end();
    };
}

struct World {
    Scenario scenario;
    Certificate authority{{.common_name = "Test CA", .is_authority = true}};
    Certificate certificate{{}, &authority};

    World() { scenario.write_file("ca.pem", authority.pem()); }
    Result ask(const TlsPeer& server, const Words& options, const std::string& host = "localhost") {
        Words words{"timecheck", "-4",    "-t",
                    "25s",       "--via", fmt::format("https:{}", server.address().port()),
                    host};
        words.insert(words.end(), options.begin(), options.end());
        return scenario.run(words);
    }
};

} // namespace

TEST_CASE("the Date of an https server is a clock, once its certificate is trusted") {
    World world;
    std::string question;
    Result result;
    {
        const TlsPeer server{{.certificate = &world.certificate}, says_date(&question)};
        result = world.ask(server, {"-J", "--cacert", "ca.pem"});
    }
    CHECK(result.err.empty());
    CHECK(result.status == 0);
    const auto object = nlohmann::json::parse(result.out);
    CHECK(object["source"] == "https");
    CHECK(std::abs(object["offset"].get<double>() - hour) <= object["uncertainty"].get<double>());
    CHECK(question.starts_with("HEAD / HTTP/1.1\r\nHost: localhost:"));
}

TEST_CASE("an https server that shows another certificate is not believed") {
    World world;
    const TlsPeer server{{.certificate = &world.certificate}, says_date()};
    auto result = world.ask(server, {});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text().starts_with("cannot speak TLS with localhost: "));
    result = world.ask(server, {"--warn", "1s"});
    CHECK(result.status == 2);
    CHECK(result.out.starts_with("TIMECHECK CRITICAL - 1 of 1: localhost cannot speak TLS "));
    result = world.ask(server, {"-k", "-J"});
    CHECK(result.status == 0);
    CHECK(nlohmann::json::parse(result.out)["offset"] > hour - 60.0);
}

TEST_CASE("a server that does not speak TLS leaves the turn to the next source") {
    World world;
    const RefusedPort refused;
    auto result = world.scenario.run(
        {"timecheck", "-4", "--via", fmt::format("https:{}", refused.number()), "localhost"});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() == "refused");
    const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
    const Peer clock{[](const Fd& client) { say(client, time_bytes_now()); }};
    result = with_time_limit(
        [&](const std::string& limit) {
            return world.scenario.run(
                {"timecheck", "-4", "-T", limit, "-t", "25s", "--via",
                 fmt::format("https:{},time:{}", silent.address().port(), clock.address().port()),
                 "localhost"});
        },
        [](const Result& both) { return both.status == 0; });
    CHECK(result.status == 0);
    CHECK(result.out.find(" time ") != std::string::npos);
}

TEST_CASE("a signal ends a question over TLS at once") {
    World world;
    std::atomic<bool> taken = false;
    const Peer silent{[&taken](const Fd& client) {
        taken = true;
        (void)receive_all(client);
    }};
    auto process =
        world.scenario.start({"timecheck", "-4", "-t", "1h", "--via",
                              fmt::format("https:{}", silent.address().port()), "localhost"});
    REQUIRE(eventually([&taken] { return taken.load(); }));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 128 + SIGTERM);
}

TEST_CASE("options for TLS need https") {
    Scenario scenario;
    const auto result = scenario.run({"timecheck", "-k", "localhost"});
    CHECK(result.status == 2);
    CHECK(result.err.starts_with("timecheck: the options for TLS need --via https"));
}
#endif
