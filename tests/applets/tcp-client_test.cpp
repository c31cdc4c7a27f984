#include "core/error.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#ifdef IPCBOX_HAS_TLS
#include "harness/tls_peer.h"
#endif

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// More than a pipe holds; not more, because the fault tests move it byte by byte.
constexpr std::size_t echo_size = 100'003;

void greet(const Fd& client) {
    say(client, "hello\n");
}

std::string port_of(const Peer& peer) {
    return fmt::format("{}", peer.address().port());
}

} // namespace

TEST_CASE("prints what the server says, however the server is written") {
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

TEST_CASE("IPv6") {
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
          "tcp-client: cannot resolve ::1: it has no such address\n");
}

TEST_CASE("sends its input, ends it, and waits for the answer") {
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
    SUBCASE("no input is meant") {
        // It would send back the end of the input as the end of the answer.
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

TEST_CASE("nobody answers") {
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
    const auto waited = scenario.run({"tcp-client", "--wait", "-w", "0.1", "127.0.0.1", number});
    CHECK(waited.status == 124);
    CHECK(waited.err ==
          fmt::format("tcp-client: timed out: wait for a server: cannot connect to 127.0.0.1:{}: "
                      "Connection refused\n",
                      number));
}

TEST_CASE("-z when somebody answers") {
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

TEST_CASE("--wait and --wait-for: a server that comes later") {
    Scenario scenario;
    const RefusedPort port;
    const auto target = fmt::format("127.0.0.1:{}", port.number());
    const auto is_waiting = [](const Process& process) {
        return eventually([&] { return is_blocked_in(process.pid(), SYS_ppoll); });
    };
    SUBCASE("one that we talk to") {
        auto client = scenario.start({"tcp-client", "--wait", target});
        CHECK(is_waiting(client));
        const Fd& server = port.listen();
        const Fd connection = Fd::adopt(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
        say(connection, "late\n");
        CHECK(client.line() == "late");
    }
    SUBCASE("all of them, and a command") {
        const Peer other{greet};
        auto client = scenario.start({"tcp-client", "--wait-for", other.text(), "--wait-for",
                                      target, "--", "sh", "-c", "echo here; exit 3"});
        CHECK(is_waiting(client));
        (void)port.listen();
        CHECK(client.line() == "here");
        CHECK(client.wait().status == 3);
    }
    SUBCASE("any of them") {
        const Peer other{greet};
        CHECK(scenario
                  .run({"tcp-client", "--wait-for", target, "--wait-for", other.text(), "--any",
                        "--", "echo", "here"})
                  .out == "here\n");
    }
    SUBCASE("none in time") {
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

TEST_CASE("limits") {
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

TEST_CASE("standard output: full, closed, left") {
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

TEST_CASE("how long it took, in words and as JSON") {
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

TEST_CASE("a terminal is not driven by strangers") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        say(client, "a\x1b[2J\xe2\x82");
        std::array<char, 1> byte{};
        (void)::recv(client.get(), byte.data(), 1, 0); // a piece of its own
        say(client, "\xac\n");
    }};
    const auto on_terminal = [&](const std::string& options) {
        // script(1) gives it a terminal; what is typed there is sent because of -s.
        return scenario
            .run({"script", "-qec", fmt::format("tcp-client -s {} {}", options, server.text()),
                  "/dev/null"},
                 "x\n")
            .out;
    };
    CHECK(on_terminal("").find("a^[[2J\xe2\x82\xac") != std::string::npos);
    CHECK(on_terminal("--raw").find("a\x1b[2J\xe2\x82\xac") != std::string::npos);
}

#ifdef IPCBOX_HAS_TLS

namespace {

// A server's certificate, and the file that makes it good.
struct TlsWorld {
    Scenario scenario;
    Certificate authority{{.common_name = "Test CA", .is_authority = true}};
    Certificate certificate{{}, &authority};

    TlsWorld() { scenario.write_file("ca.pem", authority.pem()); }
    [[nodiscard]] TlsPeer server(TlsPeer::Work work) const {
        return {{.certificate = &certificate}, std::move(work)};
    }
    // What comes of `tcp-client --tls` with these words and SERVER's address.
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

TEST_CASE("--tls") {
    TlsWorld world;
    SUBCASE("with a certificate that fits") {
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
    SUBCASE("with another one") {
        const auto server = world.server(greet_over_tls);
        const auto refused = world.talk(server, {"--cacert", "ca.pem", "--tls-name", "a.example"});
        CHECK(refused.status == 1);
        CHECK(refused.out.empty());
        CHECK(refused.err == "tcp-client: cannot speak TLS with a.example: the certificate is for "
                             "localhost, 127.0.0.1, not for a.example\n");
        CHECK(world.talk(server, {}).status == 1);
    }
    SUBCASE("both ways, and each to its end") {
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
    SUBCASE("the end of the input is not told before the answer's") {
        const auto server = world.server([](TlsConnection& client) {
            const auto request = client.receive();
            std::array<char, 1> byte{};
            const bool silent =
                ::recv(client.socket().get(), byte.data(), 1, MSG_PEEK | MSG_DONTWAIT) < 0;
            client.say(request + (silent ? ", and silence" : ", and an end"));
            client.end();
            CHECK(client.receive_all().empty());
        });
        CHECK(world.talk(server, {"-k"}, "request").out == "request, and silence");
    }
    SUBCASE("a cut answer is an error") {
        const auto server = world.server([](TlsConnection& client) { client.say("some"); });
        const auto cut = world.talk(server, {"-k"});
        CHECK(cut.status == 1);
        CHECK(cut.out == "some");
        CHECK(cut.err == "tcp-client: cannot read 127.0.0.1 to its end: the peer closed the "
                         "connection without a word\n");
    }
    SUBCASE("limits") {
        const auto server = world.server([](TlsConnection& client) {
            client.say(numbered_text(echo_size));
            client.end();
        });
        const auto cut = world.talk(server, {"-k", "--max-bytes", "50K"});
        CHECK(cut.status == 1);
        CHECK(cut.out == numbered_text(51200));
        CHECK(world.talk(server, {"-k", "--max-bytes", "100003"}).status == 0);
        const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
        const auto late =
            world.scenario.run({"tcp-client", "--tls", "-k", "-w", "50ms", silent.text()});
        CHECK(late.status == 124);
        CHECK(late.err == "tcp-client: timed out: shake hands with 127.0.0.1\n");
    }
    SUBCASE("without ipcbox-tls") {
        const auto server = world.server(greet_over_tls);
        const auto result = world.scenario.shell(
            "IPCBOX_TLS=/nowhere/ipcbox-tls tcp-client --tls -k $1", {server.text()});
        CHECK(result.status == 1);
        CHECK(result.err == "tcp-client: cannot speak TLS: there is no ipcbox-tls "
                            "(/nowhere/ipcbox-tls)\n");
    }
}

#endif

TEST_CASE("bad command lines") {
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
    CHECK(is_refused({"--wait-for", "no port"}));
    CHECK(is_refused({"--wait-for", "localhost:80", "true"}));
    CHECK(is_refused({"--wait-for", "localhost:80", "-o", "file"}));
}
