// The sweep for clients. One system call after another of a client that talks to a server fails
// once, with each errno that the kernel could return there. Whatever fails, the client ends in
// time. It has the whole answer and status 0, or prints one line that says why not.
#include "core/io.h"
#include "harness/environment.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// send=ECONNRESET is not among them. After a real one, the next recv would fail as well, but after
// an injected one it does not.
constexpr std::array faults{"*=ENOMEM",       "*=EMFILE",        "*=ENFILE",   "*=ENOSPC",
                            "*=EACCES",       "*=EAGAIN",        "*=EIO",      "*=EPERM",
                            "*=ENOBUFS",      "*=EAFNOSUPPORT",  "*=EINTR",    "*=EADDRINUSE",
                            "*=ENETUNREACH",  "*=EADDRNOTAVAIL", "*=ENOTCONN", "*=SHORT",
                            "recv=ECONNRESET"};
constexpr int max_calls = 300;
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
    const auto mark = std::filesystem::path{scenario.path("..")} / "mark";
    Result result;
    {
        const Variable which{"IPCBOX_FAULT", fault};
        const Variable where{"IPCBOX_FAULT_MARK", mark.string()};
        result = scenario.run(client.command, question);
    }
    if (!std::filesystem::exists(mark)) return false;
    const auto fired = read_to_end(open_file(mark.string(), O_RDONLY).get(), 100'000, "mark");
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
        for (const char* const fault : faults) {
            int number = 1;
            while (number <= max_calls &&
                   fails_somewhere(client, fmt::format("{}@{}", fault, number)))
                ++number;
            CHECK(number <= max_calls);
        }
}
