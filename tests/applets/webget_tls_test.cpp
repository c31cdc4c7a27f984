// HTTPS: a lost connection has the same effect as without TLS, at each stage.
#include "harness/http_peer.h"
#include "harness/scenario.h"
#include "harness/tls_peer.h"

#include <atomic>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

const Certificate& certificate() {
    static const Certificate one{{}};
    return one;
}

// The target of the next request. Empty when there is none.
std::string next_target(TlsConnection& client, std::string& pending) {
    while (pending.find("\r\n\r\n") == std::string::npos) {
        const auto more = client.receive();
        if (more.empty()) return {};
        pending += more;
    }
    const auto end = pending.find("\r\n\r\n") + 4;
    const auto head = pending.substr(0, end);
    pending.erase(0, end);
    const auto begin = head.find(' ') + 1;
    return head.substr(begin, head.find(' ', begin) - begin);
}

Words urls(const TlsPeer& server, int count, Words words) {
    words.insert(words.begin(), {"webget", "-k", "-sS"});
    for (int number = 0; number < count; ++number)
        words.push_back(fmt::format("https://{}/{}", server.text(), number));
    return words;
}

std::string all(int count) {
    std::string text;
    for (int number = 0; number < count; ++number)
        text += fmt::format("/{}\n", number);
    return text;
}

enum class End { cut, reset, notify };

} // namespace

TEST_CASE("a kept connection that is lost between two documents is replaced") {
    Scenario scenario;
    constexpr int many = 12;
    for (const auto end : {End::cut, End::reset, End::notify})
        for (const int after : {1, 2, 5})
            for (const Words& options : std::vector<Words>{{}, {"--no-pipelining"}}) {
                CAPTURE(after);
                CAPTURE(static_cast<int>(end));
                const TlsPeer server{{.certificate = &certificate()}, [&](TlsConnection& client) {
                                         std::string pending;
                                         for (int number = 0; number < after; ++number) {
                                             const auto target = next_target(client, pending);
                                             if (target.empty()) return;
                                             client.say(ok(target + "\n"));
                                         }
                                         if (end == End::notify) client.end();
                                         // A reset would discard bytes that are still on their way,
                                         // so wait.
                                         if (end == End::reset) {
                                             (void)next_target(client, pending);
                                             client.reset();
                                         }
                                     }};
                const auto result = scenario.run(urls(server, many, options));
                CAPTURE(result.err);
                CHECK(result.status == 0);
                CHECK(result.err.empty());
                CHECK(result.out == all(many));
            }
}

TEST_CASE("-w calls no certificate right that nobody has looked at") {
    Scenario scenario;
    const TlsPeer server{{.certificate = &certificate()}, [](TlsConnection& client) {
                             std::string pending;
                             (void)next_target(client, pending);
                             client.say(ok("hello\n"));
                             client.end();
                         }};
    scenario.write_file("ca.pem", certificate().pem());
    const auto verified = [&](const Words& options) {
        Words words{"webget", "-so", "/dev/null", "-w", "%{ssl_verify_result}"};
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(fmt::format("https://{}/", server.text()));
        return scenario.run(words).out;
    };
    CHECK(verified({"-k"}) == "1");
    CHECK(verified({"--cacert", "ca.pem"}) == "0");
}

TEST_CASE("a connection that is lost before the answer is retried") {
    Scenario scenario;
    for (const auto end : {End::cut, End::reset, End::notify}) {
        std::atomic<int> clients = 0;
        const TlsPeer server{{.certificate = &certificate()}, [&](TlsConnection& client) {
                                 std::string pending;
                                 const auto target = next_target(client, pending);
                                 if (++clients < 3) {
                                     if (end == End::notify) client.end();
                                     if (end == End::reset) client.reset();
                                     return;
                                 }
                                 client.say(ok(target + "\n"));
                                 client.end();
                             }};
        CHECK(scenario.run(urls(server, 1, {})).status != 0);
        clients = 0;
        CHECK(scenario.run(urls(server, 1, {"--retry", "2", "--retry-delay", "0.01"})).out ==
              "/0\n");
        CHECK(clients == 3);
    }
}

TEST_CASE("a connection that is lost during the handshake is retried") {
    Scenario scenario;
    for (const auto end : {End::cut, End::reset}) {
        std::atomic<int> clients = 0;
        const Peer server{[&](const Fd& client) {
            ++clients;
            if (end == End::reset) reset_when_closed(client);
        }};
        const auto url = fmt::format("https://{}/", server.text());
        const auto result =
            scenario.run({"webget", "-k", "--retry", "2", "--retry-delay", "0.01", url});
        CHECK((result.status == 35 || result.status == 7));
        CHECK(clients == 3);
        // No request was sent yet, so webget sends even one that must not be repeated.
        clients = 0;
        CHECK(
            scenario.run({"webget", "-k", "-d", "x", "--retry", "2", "--retry-delay", "0.01", url})
                .status != 0);
        CHECK(clients == 3);
    }
    // A refusal is no lost connection.
    std::atomic<int> clients = 0;
    const Peer plain{[&](const Fd& client) {
        ++clients;
        say(client, "HTTP/1.1 400 Bad Request\r\n\r\n");
        // With bytes that are not read, the close would be a reset: a lost connection.
        ::shutdown(client.get(), SHUT_WR);
        (void)receive_all(client);
    }};
    CHECK(scenario
              .run({"webget", "-k", "--retry", "2", "--retry-delay", "0.01",
                    fmt::format("https://{}/", plain.text())})
              .status == 35);
    CHECK(clients == 1);
}

TEST_CASE("a body that is cut is taken up again") {
    Scenario scenario;
    const auto text = numbered_text(50'000);
    std::atomic<int> clients = 0;
    const TlsPeer server{
        {.certificate = &certificate()}, [&](TlsConnection& client) {
            std::string pending;
            (void)next_target(client, pending);
            const auto whole = ok(text, "ETag: \"v1\"\r\n");
            if (++clients == 1) return client.say(whole.substr(0, whole.size() - 20'000));
            client.say(answer("206 Partial Content",
                              "ETag: \"v1\"\r\nContent-Range: bytes 30000-49999/50000\r\n",
                              text.substr(30'000)));
            client.end();
        }};
    const auto result = scenario.run({"webget", "-k", "--retry", "1", "--retry-delay", "0.01", "-o",
                                      "f", fmt::format("https://{}/", server.text())});
    CHECK(result.status == 0);
    CHECK(scenario.read_file("f") == text);
}

TEST_CASE("an upload over TLS moves both directions") {
    Scenario scenario;
    const auto text = numbered_text(8'000'000);
    scenario.write_file("big", text);
    const TlsPeer server{{.certificate = &certificate()}, [&](TlsConnection& client) {
                             client.say("HTTP/1.1 100 Continue\r\n\r\n");
                             std::size_t got = 0;
                             for (auto piece = client.receive(); !piece.empty();
                                  piece = client.receive()) {
                                 got += piece.size();
                                 if (got >= text.size() + 50 && piece.size() < 16384) break;
                             }
                             client.say(ok("done"));
                             client.end();
                         }};
    CHECK(scenario.run({"webget", "-k", "-T", "big", fmt::format("https://{}/x", server.text())})
              .out == "done");
}
