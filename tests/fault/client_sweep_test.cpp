// The sweep for clients. One system call after another of a client that talks to a server fails
// once, with each errno that the kernel could return there. Whatever fails, the client ends in
// time. It has the whole answer and status 0, or prints one line that says why not.
#include "fault/sweep.h"
#include "harness/http_peer.h"
#include "harness/injected_fault.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::string_view question = "a question\n";
constexpr std::string_view response = "an answer\n";

// Answers the question. A client that only tests whether the server is there asks none.
void answer_question(const Fd& client) {
    if (receive_all(client) == question) say(client, response);
}

// Answers a client that asks nothing.
void speak(const Fd& client) {
    say(client, response);
    (void)receive_all(client);
}

// Answers at the end of the first line, for a client that does not close its half before the
// answer.
void answer_line(const Fd& client) {
    char letter = 0;
    while (letter != '\n' && ::recv(client.get(), &letter, 1, 0) == 1) {
    }
    say(client, response);
}

// Answers as the far side of its own tunnel.
void answer_through_tunnel(const Fd& client) {
    std::string head;
    char letter = 0;
    while (!head.ends_with("\r\n\r\n") && ::recv(client.get(), &letter, 1, 0) == 1)
        head += letter;
    if (!head.ends_with("\r\n\r\n")) return;
    say(client, "HTTP/1.1 200 OK\r\n\r\n");
    answer_question(client);
}

struct SweptClient {
    Words command;
    bool is_silent = false; // prints nothing; its status is the answer
};

// Runs the client with one fault. False when no call was left to fail.
bool fails_somewhere(const SweptClient& client, const std::string& fault) {
    CAPTURE(fmt::format("{}", fmt::join(client.command, " ")));
    CAPTURE(fault);
    Scenario scenario;
    Result result;
    const auto fired =
        with_fault(scenario, fault, [&] { result = scenario.run(client.command, question); });
    if (fired.empty()) return false;
    const auto& applet = client.command.front();
    CAPTURE(fired);
    CAPTURE(result.out);
    CAPTURE(result.err);
    CAPTURE(result.status);
    // webget has the statuses of curl.
    constexpr std::array statuses{0, 1, 6, 7, 23, 26, 52, 55, 56};
    CHECK(std::ranges::find(statuses, result.status) != statuses.end());
    if (applet != "webget") CHECK(result.status <= 1);
    if (result.status == 0) {
        CHECK((client.is_silent || result.out == response));
        CHECK(result.err.empty());
    } else if (!client.is_silent && !fired.starts_with("write")) {
        CHECK(result.err.starts_with(applet + ": "));
        CHECK(std::ranges::count(result.err, '\n') == 1);
    }
    return true;
}

} // namespace

TEST_CASE("no matter what fails, a client gets the whole answer or says why not") {
    const Peer server{answer_question};
    Scenario outer;
    const auto path = outer.path("socket");
    const Peer local{net::Address::unix_path(path), answer_question};
    const Peer speaker{speak};
    const Peer line_server{answer_line};
    const Peer proxy{answer_through_tunnel};
    const HttpPeer web{[](const HttpRequest&) { return ok(response); }};
    const std::vector<SweptClient> clients{
        {{"tcp-client", server.text()}},
        {{"tcp-client", "--wait", server.text()}},
        {{"tcp-client", "-z", server.text()}, true},
        {{"tcp-client", "--wait-for", server.text()}, true},
        {{"tcp-client", "--wait-for", server.text(), "--wait-for", speaker.text()}, true},
        {{"catsock-client", path}},
        {{"tcp-client", "--source", "127.0.0.1", "--max-bytes", "99", server.text()}},
        {{"tcp-client", "-x", "http://" + proxy.text(), "far.example:1"}},
        {{"magic-cat", "--net", "tcp:" + speaker.text()}},
        {{"pty-expect", "--tcp", line_server.text(), "-s", "a question\\n", "-e", "answer\n"}},
        {{"tcp-interact", "-q", "--log", "/dev/null", server.text()}},
        {{"tcp-interact", "-q", server.text()}},
        {{"webget", web.url("/")}},
        {{"webget", "-d", "@-", web.url("/")}},
        {{"webget", "-T", "-", web.url("/")}},
        {{"webget", "-F", "part=@-", web.url("/")}},
        {{"webget", "--compressed", "-b", "a=b", "-c", "jar", web.url("/")}},
    };
    for (const auto& client : clients)
        sweep_calls(
            swept_errors({"ENOMEM", "EMFILE", "ENFILE", "ENOSPC", "EACCES", "EAGAIN", "EIO",
                          "EPERM", "ENOBUFS", "EAFNOSUPPORT", "EINTR", "EADDRINUSE", "ENETUNREACH",
                          "EADDRNOTAVAIL", "ENOTCONN", "SHORT", "ECONNRESET", "EPIPE"}),
            [&](const std::string& fault) { return fails_somewhere(client, fault); });
}
