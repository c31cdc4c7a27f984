#include "core/error.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"
#include "net/connect.h"

#ifdef IPCBOX_HAS_TLS
#include "harness/tls_peer.h"
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <future>
#include <semaphore>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// More than a pipe holds, but not much more, because the fault tests move it byte by byte.
constexpr std::size_t echo_size = 100'003;

void greet(const Fd& client) {
    say(client, "hello\n");
}

std::string port_of(const Peer& peer) {
    return fmt::format("{}", peer.address().port());
}

} // namespace

TEST_CASE("tcp-client prints the answer of a server in every form of its address") {
    Scenario scenario;
    const Peer server{greet};
    const auto port = port_of(server);
    for (const Words& words :
         {Words{"127.0.0.1", port}, Words{server.text()}, Words{"localhost", port}, Words{port},
          Words{"-4", "localhost", port}, Words{"--source", "127.0.0.2", "localhost", port},
          Words{"--source=127.0.0.2:0", server.text()}, Words{"-w30", server.text()}}) {
        Words all{"tcp-client"};
        all.insert(all.end(), words.begin(), words.end());
        CAPTURE(all.back());
        const auto result = scenario.run(all);
        CHECK(result.status == 0);
        CHECK(result.out == "hello\n");
        CHECK(result.err.empty());
    }
    CHECK(scenario.run({"tcp-client", "-v", "localhost", port}).err ==
          fmt::format("tcp-client: connected to {}\n", server.text()));
}

TEST_CASE("an IPv6 server is reached in every spelling") {
    Scenario scenario;
    const Peer server{*net::Address::parse_ip("::1", 0), greet};
    const auto port = port_of(server);
    for (const Words& words : {Words{"::1", port}, Words{"[::1]", port}, Words{server.text()},
                               Words{"-6", "localhost", port}}) {
        Words all{"tcp-client"};
        all.insert(all.end(), words.begin(), words.end());
        CHECK(scenario.run(all).out == "hello\n");
    }
    CHECK(scenario.run({"tcp-client", "-4", "::1", port}).err ==
          "tcp-client: cannot resolve ::1: it has no IPv4 address\n");
    CHECK(scenario.run({"tcp-client", "--source", "::1", "127.0.0.1", port}).err ==
          "tcp-client: cannot resolve 127.0.0.1: it has no IPv6 address\n");
}

TEST_CASE("the client sends its input, ends it, and waits for the answer") {
    Scenario scenario;
    const auto text = numbered_text(echo_size);
    SUBCASE("from a pipe and from a file") {
        const Peer server{echo};
        const auto piped = scenario.run({"tcp-client", server.text()}, text);
        CHECK(piped.status == 0);
        CHECK(piped.out == text);
        scenario.write_file("in", text);
        CHECK(scenario.shell("tcp-client $1 <in >out", {server.text()}).status == 0);
        CHECK(scenario.read_file("out") == text);
        CHECK(scenario.shell("tcp-client -o got $1 <in", {server.text()}).out.empty());
        CHECK(scenario.read_file("got") == text);
        CHECK(scenario.shell("cat in | tcp-client $1 >>out", {server.text()}).status == 0);
        CHECK(scenario.read_file("out") == text + text);
    }
    SUBCASE("the answer comes after the end") {
        const Peer server{[](const Fd& client) {
            const auto got = receive_all(client);
            say(client, fmt::format("{} bytes", got.size()));
        }};
        CHECK(scenario.run({"tcp-client", server.text()}, text).out == "100003 bytes");
    }
    SUBCASE("an input that is /dev/null or closed counts as no input") {
        // The server tells whether it has seen an end of the input.
        const Peer server{[](const Fd& client) {
            say(client, "hello, ");
            std::array<char, 1> byte{};
            const bool silent = ::recv(client.get(), byte.data(), 1, MSG_DONTWAIT) < 0;
            say(client, silent ? "silence" : "an end");
        }};
        CHECK(scenario.shell("tcp-client $1 </dev/null", {server.text()}).out == "hello, silence");
        CHECK(scenario.shell("tcp-client $1 <&-", {server.text()}).out == "hello, silence");
        CHECK(scenario.shell("tcp-client -s $1 </dev/null", {server.text()}).status == 0);
    }
    SUBCASE("input that never ends does not keep it") {
        const Peer server{greet};
        auto client = scenario.start({"tcp-client", server.text()});
        CHECK(client.line() == "hello");
        CHECK(eventually([&] { return !client.is_running(); }));
        CHECK(client.wait().status == 0);
    }
}

TEST_CASE("a client that nobody answers names the reason for each address") {
    Scenario scenario;
    const RefusedPort port;
    const auto number = fmt::format("{}", port.number());
    const auto refused = scenario.run({"tcp-client", "localhost", number});
    CHECK(refused.status == 1);
    CHECK(refused.err == fmt::format("tcp-client: cannot connect to localhost:{0}: [::1]:{0}: "
                                     "Connection refused; 127.0.0.1:{0}: Connection refused\n",
                                     number));
    CHECK(scenario.run({"tcp-client", "127.0.0.1:" + number}).err ==
          fmt::format("tcp-client: cannot connect to 127.0.0.1:{}: Connection refused\n", number));

    const auto tested = scenario.run({"tcp-client", "-z", "127.0.0.1", number});
    CHECK(tested.status == 1);
    CHECK(tested.err.empty());
    CHECK_FALSE(scenario.run({"tcp-client", "-zv", "127.0.0.1", number}).err.empty());
    CHECK(scenario.run({"tcp-client", "-zJ", "127.0.0.1", number}).out ==
          fmt::format(R"({{"v":1,"target":"127.0.0.1:{0}","connected":false,)"
                      R"("reason":"cannot connect to 127.0.0.1:{0}: Connection refused"}})"
                      "\n",
                      number));
    const auto expected = fmt::format("tcp-client: timed out: no server answers: cannot connect to "
                                      "127.0.0.1:{}: Connection refused\n",
                                      number);
    const auto waited = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run({"tcp-client", "--wait", "-w", limit, "127.0.0.1", number});
        },
        [&](const Result& late) { return late.err == expected; });
    CHECK(waited.status == 124);
    CHECK(waited.err == expected);
}

TEST_CASE("-z succeeds without a word when the server answers") {
    Scenario scenario;
    const Peer server{greet};
    const auto result = scenario.run({"tcp-client", "-z", server.text()}, "input");
    CHECK(result.status == 0);
    CHECK(result.out.empty());
    CHECK(result.err.empty());
    CHECK(scenario.run({"tcp-client", "-zJ", server.text()})
              .out.starts_with(fmt::format(
                  R"({{"v":1,"target":"{0}","connected":true,"address":"{0}","resolve_ms":)",
                  server.text())));
}

TEST_CASE("--wait and --wait-for wait for a server that comes later") {
    Scenario scenario;
    const RefusedPort port;
    const auto target = fmt::format("127.0.0.1:{}", port.number());
    const auto is_waiting = [](const Process& process) {
        return eventually([&] { return is_blocked_in(process.pid(), SYS_ppoll); });
    };
    SUBCASE("--wait talks to the server when it comes") {
        auto client = scenario.start({"tcp-client", "--wait", target});
        CHECK(is_waiting(client));
        const Fd& server = port.listen();
        const Fd connection = Fd::adopt(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
        say(connection, "late\n");
        CHECK(client.line() == "late");
    }
    SUBCASE("--wait-for waits for all servers, and runs a command") {
        const Peer other{greet};
        auto client = scenario.start({"tcp-client", "--wait-for", other.text(), "--wait-for",
                                      target, "--", "sh", "-c", "echo here; exit 3"});
        CHECK(is_waiting(client));
        (void)port.listen();
        CHECK(client.line() == "here");
        CHECK(client.wait().status == 3);
    }
    SUBCASE("--any waits for one of the servers") {
        const Peer other{greet};
        CHECK(scenario
                  .run({"tcp-client", "--wait-for", target, "--wait-for", other.text(), "--any",
                        "--", "echo", "here"})
                  .out == "here\n");
    }
    SUBCASE("no server comes in time") {
        const auto wait = [&](const Words& command) {
            Words words{"tcp-client", "-w", "50ms", "--wait-for", target};
            words.insert(words.end(), command.begin(), command.end());
            return scenario.run(words);
        };
        CHECK(wait({}).status == 124);
        CHECK(wait({"--", "true"}).status == 124);
        CHECK(wait({"--", "./no-such-command"}).status == 127);
        CHECK(wait({"--", "/dev/null"}).status == 126);
    }
}

// A server whose backlog is full. The kernel drops each further connection.
class SilentServer {
  public:
    SilentServer() {
        for (bool connected = true; connected;) {
            try {
                waiting_.push_back(
                    net::connect_tcp(std::vector{address()}, "", {},
                                     Deadline::after(std::chrono::milliseconds{50})));
            } catch (const TimedOut&) {
                connected = false;
            }
        }
    }
    [[nodiscard]] net::Address address() const { return net::local_address(socket_.get()); }

  private:
    Fd socket_ = listen_at(*net::Address::parse_ip("127.0.0.1", 0), 0);
    std::vector<Fd> waiting_;
};

TEST_CASE("an error of --wait says once that the time is over") {
    Scenario scenario;
    const SilentServer silent;
    const auto target = silent.address().text();
    for (const auto& words : {Words{"--wait", target}, Words{"--wait-for", target}}) {
        Words all{"tcp-client", "-w", "50ms"};
        all.insert(all.end(), words.begin(), words.end());
        const auto late = scenario.run(all);
        CHECK(late.status == 124);
        CHECK(late.err ==
              fmt::format("tcp-client: timed out: no server answers: connecting to {}\n", target));
    }
}

TEST_CASE("--wait-for asks several servers side by side") {
    Scenario scenario;
    const SilentServer silent;
    const Peer other{greet};
    // A single attempt takes 3 s, always. On a busy machine, everything else can take long as well.
    CHECK(eventually([&] {
        const auto started = Deadline::Clock::now();
        const auto result =
            scenario.run({"tcp-client", "--wait-for", silent.address().text(), "--wait-for",
                          other.text(), "--any", "--", "echo", "here"});
        CHECK(result.out == "here\n");
        return Deadline::Clock::now() - started < std::chrono::seconds{2};
    }));
    SUBCASE("and reports why each of them did not answer") {
        const RefusedPort port;
        const auto target = fmt::format("127.0.0.1:{}", port.number());
        const auto names_both = [&](const Result& late) {
            return contains(late.err, "connecting to " + silent.address().text()) &&
                   contains(late.err, "cannot connect to " + target);
        };
        const auto late = with_time_limit(
            [&](const std::string& limit) {
                return scenario.run({"tcp-client", "-w", limit, "--any", "--wait-for",
                                     silent.address().text(), "--wait-for", target});
            },
            names_both);
        CHECK(late.status == 124);
        CHECK(names_both(late));
    }
}

TEST_CASE("--wait tries until the very end of -w") {
    Scenario scenario;
    const RefusedPort port;
    // The last pauses are short, so the last attempt comes less than 20 ms before the end. On a
    // busy machine, there may be fewer attempts.
    CHECK(eventually([&] {
        const auto started = Deadline::Clock::now();
        const auto traced = scenario.run({"tcp-client", "--trace", "--wait", "-w", "1",
                                          fmt::format("127.0.0.1:{}", port.number())});
        CHECK(traced.status == 124);
        CHECK(Deadline::Clock::now() - started > std::chrono::milliseconds{980});
        std::size_t attempts = 0;
        for (auto at = traced.err.find("connect("); at != std::string::npos;
             at = traced.err.find("connect(", at + 1))
            ++attempts;
        return attempts >= 12;
    }));
}

TEST_CASE("--closed waits for the end of a server") {
    Scenario scenario;
    const RefusedPort port;
    const auto target = fmt::format("127.0.0.1:{}", port.number());
    CHECK(
        scenario.run({"tcp-client", "--closed", "--wait-for", target, "--", "echo", "gone"}).out ==
        "gone\n");
    auto server = std::make_optional<Peer>(greet);
    const auto text = server->text();
    const auto expected = fmt::format(
        "tcp-client: timed out: a server has not ended: {} still accepts connections\n", text);
    const auto late = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run({"tcp-client", "--closed", "-w", limit, "--wait-for", text});
        },
        [&](const Result& result) { return result.err == expected; });
    CHECK(late.status == 124);
    CHECK(late.err == expected);
    auto waiting = scenario.start({"tcp-client", "-v", "--closed", "--wait-for", text});
    server.reset();
    CHECK(waiting.error_line() == fmt::format("tcp-client: {} is closed", text));
    CHECK(waiting.wait().status == 0);
    const SilentServer silent;
    CHECK(scenario
              .run({"tcp-client", "--closed", "-w", "50ms", "--wait-for", silent.address().text()})
              .status == 124);
}

TEST_CASE("--http wants an answer below 400") {
    Scenario scenario;
    std::atomic<int> asked = 0;
    std::string request;
    const Peer server{[&](const Fd& client) {
        request.clear();
        while (!request.ends_with("\r\n\r\n")) {
            std::array<char, 4096> buffer{};
            const auto got = ::recv(client.get(), buffer.data(), buffer.size(), 0);
            if (got <= 0) return;
            request.append(buffer.data(), static_cast<std::size_t>(got));
        }
        say(client, ++asked < 3 ? "HTTP/1.1 503 Not yet\r\nContent-Length: 0\r\n\r\n"
                                : "HTTP/1.1 204 Here\r\n\r\n");
    }};
    SUBCASE("--wait-for asks again after another answer") {
        CHECK(scenario
                  .run({"tcp-client", "--wait-for", server.text(), "--http", "/health?full=1", "--",
                        "echo", "healthy"})
                  .out == "healthy\n");
        CHECK(asked == 3);
        CHECK(request.starts_with(
            fmt::format("GET /health?full=1 HTTP/1.1\r\nHost: {}\r\n", server.text())));
    }
    SUBCASE("-z reports the answer") {
        const auto result = scenario.run({"tcp-client", "-zv", "--http", "/", server.text()});
        CHECK(result.status == 1);
        CHECK(result.err ==
              fmt::format("tcp-client: {} answers GET / with the status 503\n", server.text()));
    }
    SUBCASE("an answer that is not HTTP ends the wait") {
        const Peer other{greet};
        const auto result = scenario.run({"tcp-client", "--wait-for", other.text(), "--http", "/"});
        CHECK(result.status == 1);
    }
}

TEST_CASE("standard input that cannot be read is an error") {
    Scenario scenario;
    const Peer server{[](const Fd& client) { (void)receive_all(client); }};
    scenario.write_file("file", "text");
    for (const char* input : {"0>file", "0>>file", "</", "0>fifo"}) {
        CAPTURE(input);
        const auto result = scenario.shell(
            fmt::format("[ -p fifo ] || mkfifo fifo; exec 3<>fifo; exec tcp-client $1 {}", input),
            {server.text()});
        CHECK(result.status == 1);
        CHECK(result.err.starts_with("tcp-client: cannot read standard input: "));
    }
}

TEST_CASE("--quit-after ends a client that waits for the other direction") {
    Scenario scenario;
    SUBCASE("for the answer, when the input has ended") {
        const auto quit_after = [&](const std::string& limit) {
            std::promise<void> over;
            const Peer server{[&](const Fd& client) {
                say(client, "some\n");
                over.get_future().wait();
            }};
            auto quit = scenario.run({"tcp-client", "--quit-after", limit, server.text()}, "input");
            over.set_value();
            return quit;
        };
        const auto result =
            with_time_limit(quit_after, [](const Result& quit) { return quit.out == "some\n"; });
        CHECK(result.status == 0);
        CHECK(result.out == "some\n");
    }
    SUBCASE("for the input, when the answer has ended") {
        const Peer server{greet};
        auto client = scenario.start({"tcp-client", "-s", "--quit-after", "50ms", server.text()});
        CHECK(client.line() == "hello");
        CHECK(client.wait().status == 0);
    }
}

TEST_CASE("--haproxy-protocol sends a PROXY header first") {
    Scenario scenario;
    const Peer server{echo};
    const auto result = scenario.run({"tcp-client", "--haproxy-protocol", server.text()}, "x");
    CHECK(result.out.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
    CHECK(result.out.ends_with(fmt::format(" {}\r\nx", port_of(server))));
    CHECK(scenario.run({"tcp-client", "--haproxy-clientip", "192.0.2.7", server.text()}, "x")
              .out.starts_with("PROXY TCP4 192.0.2.7 127.0.0.1 "));
    CHECK(scenario.run({"tcp-client", "--haproxy-clientip", "2001:db8::7", server.text()}, "x")
              .out.starts_with("PROXY TCP6 2001:db8::7 ::ffff:127.0.0.1 "));
}

TEST_CASE("--keepalive-time has the kernel probe the server") {
    Scenario scenario;
    const Peer server{greet};
    const auto traced =
        scenario.run({"tcp-client", "--trace", "--keepalive-time", "90", server.text()}, "");
    CHECK(traced.status == 0);
    for (const char* time : {"75s", "0", "10h", "x"}) {
        const bool taken = std::string{time} == "75s";
        CHECK((scenario.run({"tcp-client", "--keepalive-time", time, server.text()}).status ==
               (taken ? 0 : 2)));
    }
}

TEST_CASE("-w 0 and -i 0 stand for no limit") {
    Scenario scenario;
    const Peer server{greet};
    CHECK(scenario.run({"tcp-client", "-w", "0", "-i", "0", server.text()}).out == "hello\n");
}

TEST_CASE("--proxy goes through an HTTP proxy, whose target may speak first") {
    Scenario scenario;
    std::string request;
    const Peer proxy{[&](const Fd& client) {
        request.clear();
        while (!request.ends_with("\r\n\r\n")) {
            std::array<char, 1> byte{};
            if (::recv(client.get(), byte.data(), 1, 0) != 1) return;
            request.push_back(byte[0]);
        }
        if (request.find("forbidden") != std::string::npos) {
            say(client, "HTTP/1.1 403 Forbidden\r\n\r\n");
        } else if (request.find("down") != std::string::npos) {
            say(client, "HTTP/1.1 502 Bad Gateway\r\n\r\n");
        } else {
            say(client, "HTTP/1.1 200 OK\r\nVia: us\r\n\r\nbanner ");
            echo(client);
        }
    }};
    const auto through = [&](const std::string& target, const std::string& url) {
        return scenario.run({"tcp-client", "-x", url, target}, "hello");
    };
    CHECK(through("far.example:80", "http://" + proxy.text()).out == "banner hello");
    CHECK(request.starts_with("CONNECT far.example:80 HTTP/1.1\r\nHost: far.example:80\r\n"));
    CHECK(through("[2001:db8::1]:80", "http://me:secret@" + proxy.text()).out == "banner hello");
    CHECK(request.starts_with("CONNECT [2001:db8::1]:80 "));
    CHECK(request.find("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n") != std::string::npos);
    const auto refused = through("forbidden:80", proxy.text());
    CHECK(refused.status == 1);
    CHECK(refused.err == "tcp-client: cannot connect to forbidden:80 through the HTTP proxy: it "
                         "answers 403 Forbidden\n");
    const auto down = scenario.run({"tcp-client", "-z", "-x", proxy.text(), "down:80"});
    CHECK(down.status == 1);
    CHECK(down.err.empty()); // that nobody answers is the result of the test
    CHECK(scenario.run({"tcp-client", "-x", "socks4://localhost", "h:1"}).status == 2);
}

TEST_CASE("--proxy goes through a SOCKS5 proxy") {
    Scenario scenario;
    std::string asked;
    const Peer proxy{[&](const Fd& client) {
        std::array<char, 3> hello{};
        (void)::recv(client.get(), hello.data(), hello.size(), MSG_WAITALL);
        say(client, std::string_view{"\5\0", 2});
        // RFC 1928: the length of the request follows from the kind of the address and its first
        // byte.
        std::array<char, 64> request{};
        (void)::recv(client.get(), request.data(), 5, MSG_WAITALL);
        const std::size_t rest = request[3] == 3   ? static_cast<std::size_t>(request[4]) + 2
                                 : request[3] == 4 ? 17
                                                   : 5;
        (void)::recv(client.get(), request.data() + 5, rest, MSG_WAITALL);
        asked.assign(request.data(), 5 + rest);
        say(client, std::string_view{"\5\0\0\1\0\0\0\0\0\0", 10});
        echo(client);
    }};
    const auto through = [&](const std::string& scheme) {
        return scenario.run({"tcp-client", "-x", scheme + proxy.text(), "localhost:80"}, "hello")
            .out;
    };
    CHECK(through("socks5h://") == "hello");
    CHECK(asked == std::string_view{"\5\1\0\3\11localhost\0\120", 16});
    CHECK(through("socks5://") == "hello");
    CHECK(asked.substr(0, 4) == std::string_view{"\5\1\0\4", 4}); // ::1 is tried first
}

TEST_CASE("limits on bytes and time end the client") {
    Scenario scenario;
    SUBCASE("bytes") {
        const Peer server{[](const Fd& client) { say(client, numbered_text(echo_size)); }};
        const auto cut = scenario.run({"tcp-client", "--max-bytes", "50K", server.text()});
        CHECK(cut.status == 1);
        CHECK(cut.out == numbered_text(51200));
        CHECK(cut.err ==
              fmt::format("tcp-client: cannot read {}: more than 51200 bytes\n", server.text()));
        CHECK(scenario.run({"tcp-client", "--max-bytes", "100003", server.text()}).status == 0);
    }
    SUBCASE("idle") {
        const Peer server{[](const Fd& client) { (void)receive_all(client); }};
        auto client = scenario.start({"tcp-client", "-i", "50ms", server.text()});
        CHECK(eventually([&] { return !client.is_running(); }));
        CHECK(client.wait().status == 124);
    }
    SUBCASE("connecting") {
        const Fd server = listen_at(*net::Address::parse_ip("127.0.0.1", 0), 0);
        const auto target = net::local_address(server.get()).text();
        const auto other = scenario.start({"tcp-client", target});
        const auto third = scenario.start({"tcp-client", target});
        CHECK(eventually([&] {
            return scenario.run({"tcp-client", "-z", "-w", "50ms", target}).status == 124;
        }));
    }
}

TEST_CASE("a reset is an error") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        say(client, "half ");
        std::array<char, 1> byte{};
        (void)::recv(client.get(), byte.data(), 1, 0);
        reset_when_closed(client);
    }};
    const auto result = scenario.run({"tcp-client", server.text()}, "x");
    CHECK(result.status == 1);
    CHECK(result.err ==
          fmt::format("tcp-client: cannot read {}: Connection reset by peer\n", server.text()));
}

TEST_CASE("a standard output that is full, closed or left ends the client") {
    Scenario scenario;
    const Peer server{[](const Fd& client) { say(client, numbered_text(echo_size)); }};
    const auto full = scenario.shell("tcp-client $1 >/dev/full </dev/null", {server.text()});
    CHECK(full.status == 1);
    CHECK(full.err == "tcp-client: cannot write standard output: No space left on device\n");
    const auto closed = scenario.shell("tcp-client $1 >&- </dev/null", {server.text()});
    CHECK(closed.status == 1);
    CHECK(closed.err == "tcp-client: cannot write standard output: Bad file descriptor\n");
    const auto left = scenario.shell(
        "mkfifo fifo; exec 3<>fifo 4>fifo 3<&-; tcp-client $1 >&4 </dev/null; echo $?",
        {server.text()});
    CHECK(left.out == "141\n");
    CHECK(left.err.empty());
    CHECK(scenario.shell("tcp-client -o no/file $1", {server.text()}).err ==
          "tcp-client: cannot open no/file: No such file or directory\n");
}

TEST_CASE("--timing and -J tell how long each step took") {
    Scenario scenario;
    const Peer server{echo};
    const auto timed = scenario.run({"tcp-client", "--timing", server.text()}, "12345");
    CHECK(timed.out == "12345");
    CHECK(timed.err.starts_with("tcp-client: resolve 0."));
    CHECK(timed.err.ends_with(" ms; 5 bytes sent, 5 received\n"));
    const auto json = scenario.run({"tcp-client", "-J", "-o", "out", server.text()}, "12345");
    CHECK(json.status == 0);
    CHECK(json.out.starts_with(
        fmt::format(R"({{"v":1,"target":"{0}","connected":true,"address":"{0}",)", server.text())));
    CHECK(json.out.ends_with(R"("sent":5,"received":5})"
                             "\n"));
    CHECK(scenario.read_file("out") == "12345");
}

TEST_CASE("bytes behind urgent data arrive, at once and before the end") {
    Scenario scenario;
    std::binary_semaphore begun{0};
    const Peer server{[&](const Fd& client) {
        say(client, "a");
        (void)::send(client.get(), "!", 1, MSG_OOB);
        say(client, "b\n");
        (void)begun.try_acquire_for(std::chrono::seconds{30});
        say(client, "c");
        (void)::send(client.get(), "!", 1, MSG_OOB);
        say(client, "d\n");
    }};
    auto process = scenario.start({"tcp-client", server.text()}); // into a pipe
    process.close_input();
    CHECK(process.line() == "ab");
    begun.release();
    CHECK(process.line() == "cd");
    CHECK(process.wait().status == 0);

    process = scenario.start({"tcp-client", "-o", "file", server.text()});
    process.close_input();
    CHECK(eventually(
        [&] { return scenario.exists("file") && scenario.read_file("file") == "ab\n"; }));
    begun.release();
    CHECK(process.wait().status == 0);
    CHECK(scenario.read_file("file") == "ab\ncd\n");
}

TEST_CASE("a server cannot control the terminal") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        say(client, "a\x1b[2J\xe2\x82");
        std::array<char, 1> byte{};
        (void)::recv(client.get(), byte.data(), 1, 0); // takes a single byte
        say(client, "\xac\n");
        ::shutdown(client.get(), SHUT_WR);
        (void)receive_all(client); // a close with unread input would be a reset
    }};
    const auto on_terminal = [&](const std::string& options) {
        // script(1) gives it a terminal. With -s, it sends what is typed there.
        auto shown =
            scenario
                .run({"script", "-qec", fmt::format("tcp-client -s {} {}", options, server.text()),
                      "/dev/null"},
                     "x\n")
                .out;
        // The terminal shows what is typed, before or between the server's two pieces.
        const std::string typed = "x\r\n";
        if (const auto at = shown.find(typed); at != std::string::npos)
            shown.erase(at, typed.size());
        return shown;
    };
    CHECK(on_terminal("").find("a^[[2J\xe2\x82\xac") != std::string::npos);
    CHECK(on_terminal("--raw").find("a\x1b[2J\xe2\x82\xac") != std::string::npos);
}

#ifdef IPCBOX_HAS_TLS

namespace {

// A server's certificate, and a file that makes clients trust it.
struct TlsWorld {
    Scenario scenario;
    Certificate authority{{.common_name = "Test CA", .is_authority = true}};
    Certificate certificate{{}, &authority};

    TlsWorld() { scenario.write_file("ca.pem", authority.pem()); }
    [[nodiscard]] TlsPeer server(TlsPeer::Work work) const {
        return {{.certificate = &certificate}, std::move(work)};
    }
    // The result of `tcp-client --tls` with these words and SERVER's address.
    Result talk(const TlsPeer& server, Words words, std::string_view input = {}) {
        words.insert(words.begin(), {"tcp-client", "--tls"});
        words.push_back(server.text());
        return scenario.run(words, input);
    }
};

void greet_over_tls(TlsConnection& client) {
    client.say("hello\n");
    client.end();
}

} // namespace

TEST_CASE("--tls speaks TLS with a server that it can trust") {
    TlsWorld world;
    SUBCASE("a certificate that fits is accepted") {
        const auto server = world.server(greet_over_tls);
        const auto greeted = world.talk(server, {"--cacert", "ca.pem"});
        CHECK(greeted.status == 0);
        CHECK(greeted.out == "hello\n");
        CHECK(greeted.err.empty());
        CHECK(world.talk(server, {"-v", "--cacert", "ca.pem"}).err ==
              fmt::format("tcp-client: connected to {}, TLSv1.3 TLS_AES_256_GCM_SHA384\n",
                          server.text()));
        CHECK(world.talk(server, {"-k"}).status == 0);
        CHECK(world.talk(server, {"-k", "--pinnedpubkey", world.certificate.pin()}).status == 0);
        CHECK(world.talk(server, {"-z", "--cacert", "ca.pem"}).status == 0);
        const auto json = world.talk(server, {"-J", "-o", "out", "-k"});
        CHECK(json.out.find(R"("tls":"TLSv1.3 TLS_AES_256_GCM_SHA384")") != std::string::npos);
        CHECK(world.scenario.read_file("out") == "hello\n");
    }
    SUBCASE("another certificate is rejected") {
        const auto server = world.server(greet_over_tls);
        const auto refused = world.talk(server, {"--cacert", "ca.pem", "--tls-name", "a.example"});
        CHECK(refused.status == 1);
        CHECK(refused.out.empty());
        CHECK(refused.err == "tcp-client: cannot speak TLS with a.example: the certificate is for "
                             "localhost, 127.0.0.1, not for a.example\n");
        CHECK(world.talk(server, {}).status == 1);
    }
    SUBCASE("both directions pass, each to its end") {
        const auto server = world.server([](TlsConnection& client) {
            for (auto text = client.receive(); !text.empty(); text = client.receive())
                client.say(text);
            client.say("end\n");
            client.end();
        });
        const auto text = numbered_text(echo_size);
        CHECK(world.talk(server, {"--half-close", "--cacert", "ca.pem"}, text).out ==
              text + "end\n");
    }
    SUBCASE("the end of the input is announced only after the end of the answer") {
        const auto server = world.server([](TlsConnection& client) {
            const auto request = client.receive_at_least(7);
            std::array<char, 1> byte{};
            const bool silent =
                ::recv(client.socket().get(), byte.data(), 1, MSG_PEEK | MSG_DONTWAIT) < 0;
            client.say(request + (silent ? ", and silence" : ", and an end"));
            client.end();
            CHECK(client.receive_all().empty());
        });
        CHECK(world.talk(server, {"-k"}, "request").out == "request, and silence");
    }
    SUBCASE("--ignore-unexpected-eof accepts an end without close_notify") {
        const auto server = world.server([](TlsConnection& client) { client.say("some"); });
        const auto whole = world.talk(server, {"-k", "--ignore-unexpected-eof"});
        CHECK(whole.status == 0);
        CHECK(whole.out == "some");
        CHECK(whole.err.empty());
    }
    SUBCASE("a broken handshake is tried again, a wrong certificate is not") {
        std::atomic<int> tries = 0;
        const Peer breaking{[&](const Fd& client) {
            ++tries;
            say(client, "not yet");
            (void)receive_all(client);
        }};
        const auto broken = with_time_limit(
            [&](const std::string& limit) {
                return world.scenario.run(
                    {"tcp-client", "--tls", "-k", "-w", limit, "--wait-for", breaking.text()});
            },
            [&](const Result&) { return tries > 2; });
        CHECK(broken.status == 124);
        CHECK(tries > 2);
        const auto server = world.server(greet_over_tls);
        const auto wrong = world.talk(server, {"--wait"});
        CHECK(wrong.status == 1);
        CHECK(wrong.err.find("unknown issuer") != std::string::npos);
        CHECK(world.scenario
                  .run({"tcp-client", "--tls", "--wait-for", server.text(), "--wait-for",
                        server.text()})
                  .status == 1);
        CHECK(world.talk(server, {"-k", "--wait"}).out == "hello\n");
    }
    SUBCASE("an answer that was cut off is an error") {
        const auto server = world.server([](TlsConnection& client) { client.say("some"); });
        const auto cut = world.talk(server, {"-k"});
        CHECK(cut.status == 1);
        CHECK(cut.out == "some");
        CHECK(cut.err == "tcp-client: cannot read 127.0.0.1 to its end: the peer closed the "
                         "connection without a word\n");
    }
    SUBCASE("limits hold over TLS") {
        const auto server = world.server([](TlsConnection& client) {
            client.say(numbered_text(echo_size));
            client.end();
        });
        const auto cut = world.talk(server, {"-k", "--max-bytes", "50K"});
        CHECK(cut.status == 1);
        CHECK(cut.out == numbered_text(51200));
        CHECK(world.talk(server, {"-k", "--max-bytes", "100003"}).status == 0);
        const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
        const std::string expected = "tcp-client: timed out: the TLS handshake with 127.0.0.1\n";
        const auto late = with_time_limit(
            [&](const std::string& limit) {
                return world.scenario.run(
                    {"tcp-client", "--tls", "-k", "-w", limit, silent.text()});
            },
            [&](const Result& result) { return result.err == expected; });
        CHECK(late.status == 124);
        CHECK(late.err == expected);
    }
    SUBCASE("ipcbox-tls is missing") {
        const auto server = world.server(greet_over_tls);
        const auto result = world.scenario.shell(
            "IPCBOX_TLS=/nowhere/ipcbox-tls tcp-client --tls -k $1", {server.text()});
        CHECK(result.status == 1);
        CHECK(result.err == "tcp-client: cannot speak TLS: ipcbox-tls was not found "
                            "(/nowhere/ipcbox-tls)\n");
    }
}

#endif

TEST_CASE("bad command lines are refused") {
    Scenario scenario;
    const auto is_refused = [&](const Words& words) {
        Words all{"tcp-client"};
        all.insert(all.end(), words.begin(), words.end());
        const auto result = scenario.run(all);
        CAPTURE(result.err);
        CHECK(result.status == 2);
        return result.status == 2;
    };
    CHECK(is_refused({"localhost", "no-such-service"}));
    CHECK(is_refused({"localhost:99999"}));
    CHECK(is_refused({"localhost", "80", "more"}));
    CHECK(is_refused({"-4", "-6"}));
    CHECK(is_refused({"-6", "--source", "127.0.0.1"}));
    CHECK(is_refused({"--source", "localhost"}));
    CHECK(is_refused({"-J"}));
    CHECK(is_refused({"-J", "-o", "-"}));
    CHECK(is_refused({"-z", "-s"}));
    CHECK(is_refused({"-k"}));
    CHECK(is_refused({"--half-close"}));
    CHECK(is_refused({"--tls", "--pinnedpubkey", "sha256//short"}));
    CHECK(is_refused({"--any"}));
    CHECK(is_refused({"--closed"}));
    CHECK(is_refused({"--http", "/"}));
    CHECK(is_refused({"-z", "--http", "health"}));
    CHECK(is_refused({"--closed", "--http", "/", "--wait-for", "localhost:80"}));
    CHECK(is_refused({"--closed", "-x", "h", "--wait-for", "localhost:80"}));
    CHECK(is_refused({"--haproxy-clientip", "localhost"}));
    CHECK(is_refused({"--ignore-unexpected-eof"}));
    CHECK(is_refused({"--wait-for", "no port"}));
    CHECK(is_refused({"--wait-for", "localhost:80", "true"}));
    CHECK(is_refused({"--wait-for", "localhost:80", "-o", "file"}));
}
