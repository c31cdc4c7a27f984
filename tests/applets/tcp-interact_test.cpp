#include "core/error.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "harness/screen.h"
#include "net/connect.h"

#ifdef IPCBOX_HAS_TLS
#include "harness/tls_peer.h"
#endif

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// The bytes that the client sends before a line feed.
std::string receive_line(const Fd& client) {
    std::string line;
    for (char byte = 0; ::read(client.get(), &byte, 1) == 1;) {
        line.push_back(byte);
        if (byte == '\n') break;
    }
    return line;
}

// Behaves like the command server of the manual page.
void ask_for_commands(const Fd& client) {
    say(client, "Welcome; type help for command list.\nCommand? ");
    for (;;) {
        const auto line = receive_line(client);
        if (line.empty() || line == "quit\n") return;
        say(client, fmt::format("<{}>\nCommand? ", line.substr(0, line.size() - 1)));
    }
}

// A terminal in which tcp-interact runs.
class Terminal : public Screen {
  public:
    Terminal(Scenario& scenario, const std::string& words)
        : Screen(scenario, "tcp-interact " + words) {}
};

} // namespace

TEST_CASE(
    "tcp-interact shows the server's text immediately, sends the input, and ends with the server") {
    Scenario scenario;
    const Peer server{ask_for_commands};
    auto client = scenario.start({"tcp-interact", server.text()});
    CHECK(client.error_line() == fmt::format("[Connected to {}]", server.text()));
    CHECK(client.line() == "Welcome; type help for command list.");
    client.send("date\nquit\nnever read\n");
    CHECK(client.line() == "Command? <date>");
    const auto result = client.wait();
    CHECK(result.out == "Command? ");
    CHECK((result.status == 0 || contains(result.err, "reset"))); // reset: it left a line unread
}

TEST_CASE("a server is HOST PORT, HOST:PORT or unix:PATH, and -q leaves out the first line") {
    Scenario scenario;
    const auto greet = [](const Fd& client) { say(client, "hello\n"); };
    const Peer tcp{greet};
    const auto port = fmt::format("{}", tcp.address().port());
    for (const Words& words : {Words{"tcp-interact", "-q", "127.0.0.1", port},
                               Words{"tcp-interact", "-q", "localhost:" + port},
                               Words{"tcp-interact", "-q", "--twin", "-4", "localhost", port}}) {
        const auto result = scenario.run(words);
        CHECK(result.status == 0);
        CHECK(result.out == "hello\n");
        CHECK(result.err.empty());
    }
    const Peer local{net::Address::unix_path(scenario.path("socket")), greet};
    const auto result = scenario.run({"tcp-interact", "unix:socket"});
    CHECK(result.out == "hello\n");
    CHECK(result.err == "[Connected to unix:socket]\n");
}

TEST_CASE("the end of the input closes one half, and the answer still comes, with --twin too") {
    Scenario scenario;
    const auto text = numbered_text(100'003); // more than a pipe holds
    const Peer server{[](const Fd& client) { say(client, receive_all(client)); }};
    for (const Words& words : {Words{"tcp-interact", "-q", server.text()},
                               Words{"tcp-interact", "-q", "--twin", server.text()},
                               Words{"tcp-interact", "-q", "--log", "/dev/null", server.text()}}) {
        const auto result = scenario.run(words, text);
        CHECK(result.status == 0);
        CHECK(result.out == text);
    }
}

TEST_CASE("an input that cannot be read ends both twins, although the server stays") {
    Scenario scenario;
    const Peer server{[](const Fd& client) { (void)receive_all(client); }};
    const auto result = scenario.shell("tcp-interact -q --twin $1 </", {server.text()});
    CHECK(result.status == 1);
    CHECK(result.err == "tcp-interact: cannot read standard input: Is a directory\n");
}

TEST_CASE("the end of the server ends the client, although the input stays open") {
    Scenario scenario;
    const Peer server{[](const Fd& client) { say(client, "bye\n"); }};
    for (const Words& words : {Words{"tcp-interact", "-q", server.text()},
                               Words{"tcp-interact", "-q", "--twin", server.text()}}) {
        auto client = scenario.start(words);
        CHECK(eventually([&] { return !client.is_running(); })); // wait() would close the input
        const auto result = client.wait();
        CHECK(result.status == 0);
        CHECK(result.out == "bye\n");
    }
}

TEST_CASE("a reset is status 1, and says so") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        (void)receive_line(client);
        reset_when_closed(client);
    }};
    for (const Words& words : {Words{"tcp-interact", "-q", server.text()},
                               Words{"tcp-interact", "-q", "--twin", server.text()}}) {
        auto client = scenario.start(words);
        client.send("x\n");
        const auto result = client.wait();
        CHECK(result.status == 1);
        CHECK(result.err == fmt::format("tcp-interact: cannot read {}: Connection reset by peer\n",
                                        server.text()));
    }
}

TEST_CASE("a silent server is status 124 after -i, and nobody listening is status 1") {
    Scenario scenario;
    const Peer server{[](const Fd& client) { (void)receive_all(client); }};
    auto client = scenario.start({"tcp-interact", "-q", "-i", "50ms", server.text()});
    // The input stays open until the client ends.
    CHECK(contains(client.error_line(), "no byte was sent or received"));
    CHECK(client.wait().status == 124);

    const RefusedPort closed;
    const auto refused =
        scenario.run({"tcp-interact", fmt::format("127.0.0.1:{}", closed.number())});
    CHECK(refused.status == 1);
    CHECK(contains(refused.err, "Connection refused"));
}

TEST_CASE("-C sends CR LF; --telnet refuses the server's options and shows the text only") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        say(client, "\xff\xfd\x18\xff\xfb\x01login:\n"); // DO TERMINAL-TYPE, WILL ECHO
        const auto heard = receive_all(client);
        say(client, heard == "\xff\xfc\x18\xff\xfe\x01me\r\n" ? "fine\n" : "wrong\n");
    }};
    auto client = scenario.start({"tcp-interact", "-q", "-C", "--telnet", server.text()});
    CHECK(client.line() == "login:");
    client.send("me\n");
    const auto result = client.wait();
    CHECK(result.status == 0);
    CHECK(result.out == "fine\n");
}

TEST_CASE("--hex dumps the answer, and --log keeps both directions in a private file") {
    Scenario scenario;
    const Peer server{[](const Fd& client) { say(client, "got " + receive_all(client)); }};
    const auto result =
        scenario.run({"tcp-interact", "-q", "--log", "log", server.text()}, "a\x1b[2J\n");
    CHECK(result.out == "got a\x1b[2J\n"); // unchanged: this is no terminal
    const auto log = scenario.read_file("log");
    CHECK(contains(log, " > a^[[2J\n"));
    CHECK(contains(log, " < got"));
    struct stat status {};
    REQUIRE(::stat("log", &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);

    const Peer short_one{[](const Fd& client) { say(client, "!"); }};
    CHECK(scenario.run({"tcp-interact", "-q", "--hex", short_one.text()}).out ==
          "00000000  21                                                |!|\n");
    const auto lost = scenario.run({"tcp-interact", "-q", "--log", "no/log", short_one.text()});
    CHECK(lost.status == 1);
    CHECK(lost.err == "tcp-interact: cannot open no/log: No such file or directory\n");
}

TEST_CASE("options that cannot be combined are refused") {
    Scenario scenario;
    const auto error = [&](const Words& words) {
        Words all{"tcp-interact"};
        all.insert(all.end(), words.begin(), words.end());
        const auto result = scenario.run(all);
        CHECK(result.status == 2);
        return result.err;
    };
    CHECK(contains(error({"localhost"}), "no PORT"));
    CHECK(contains(error({"localhost:1", "2"}), "twice"));
    CHECK(contains(error({"unix:a", "2"}), "no PORT"));
    CHECK(contains(error({"--tls", "unix:a"}), "cannot be combined"));
    CHECK(contains(error({"--twin", "--log", "x", "a:1"}), "--twin cannot be combined"));
    CHECK(contains(error({"-k", "a:1"}), "--tls"));
    CHECK(contains(error({"-e", "ab", "a:1"}), "-e"));
    (void)error({});
}

TEST_CASE("on a terminal a line is edited, and the server's text does not disturb it") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        say(client, "Command? ");
        const auto line = receive_line(client);
        say(client, "heard " + line + "more\x1b[2J\nCommand? ");
        (void)receive_line(client);
        say(client, "goodbye\n");
    }};
    const Terminal terminal{scenario, server.text()};
    CHECK(terminal.shows("Command?"));
    terminal.type("datx");
    CHECK(terminal.shows("Command? datx"));
    terminal.key("BSpace");
    terminal.type("e");
    terminal.key("Home");
    terminal.type("up");
    CHECK(terminal.shows("Command? update"));
    terminal.key("Enter");
    CHECK(terminal.shows("heard update"));
    CHECK(terminal.shows("more^[[2J\nCommand?"));
    terminal.key("Up");
    CHECK(terminal.shows("Command? update\nheard update\nmore^[[2J\nCommand? update"));
    terminal.key("Enter");
    CHECK(terminal.shows("goodbye\nleft with 0\nready>"));
    // The terminal is as before: it shows what is typed, and takes a line.
    terminal.type("echo th''ere");
    terminal.key("Enter");
    CHECK(terminal.shows("echo th''ere\nthere"));
    std::string name = server.text();
    CHECK(scenario.read_file("state/ipcbox/tcp-interact/" + name) == "update\n");
}

TEST_CASE("text that comes while a line is typed appears above it") {
    Scenario scenario;
    const Peer server{[&scenario](const Fd& client) {
        say(client, "Command? ");
        if (!eventually([&] { return scenario.exists("go"); })) return;
        say(client, "\nnews\nCommand? ");
        (void)receive_all(client);
    }};
    const Terminal terminal{scenario, server.text()};
    CHECK(terminal.shows("Command?"));
    terminal.type("half");
    CHECK(terminal.shows("Command? half"));
    scenario.write_file("go", "");
    CHECK(terminal.shows("Command?\nnews\nCommand? half"));
    terminal.key("C-u");
    terminal.key("C-d"); // ends the input, and with it the server
    CHECK(terminal.shows("left with 0\nready>"));
}

TEST_CASE("the escape key opens a menu: a log, a way on, the end") {
    Scenario scenario;
    const Peer server{ask_for_commands};
    const Terminal terminal{scenario, server.text()};
    CHECK(terminal.shows("Command?"));
    terminal.type("da");
    terminal.key("C-]");
    CHECK(terminal.shows("q: quit"));
    terminal.type("l");
    CHECK(terminal.shows("[log to the file:"));
    terminal.type("session");
    terminal.key("Enter");
    CHECK(terminal.shows("[logging to session]\nCommand? da"));
    terminal.type("te");
    terminal.key("Enter");
    CHECK(terminal.shows("<date>\nCommand?"));
    CHECK(eventually([&] { return contains(scenario.read_file("session"), " < <date>"); }));
    terminal.key("C-]");
    terminal.type("b");
    CHECK(terminal.shows("[a break needs --telnet]"));
    terminal.key("C-]");
    CHECK(terminal.shows("q: quit"));
    terminal.type("q");
    CHECK(terminal.shows("left with 0\nready>"));
}

TEST_CASE("Ctrl-C ends the client, and the terminal is as it was") {
    Scenario scenario;
    const Peer server{ask_for_commands};
    const Terminal terminal{scenario, server.text()};
    CHECK(terminal.shows("Command?"));
    terminal.key("C-c");
    CHECK(terminal.shows("ready>"));
    CHECK(terminal.is_as_before());
}

TEST_CASE("the terminal is as it was when the client is killed") {
    Scenario scenario;
    const Peer server{ask_for_commands};
    const Screen terminal{scenario,
                          fmt::format("sh -c 'echo $$ >pid; exec tcp-interact {}'", server.text())};
    CHECK(terminal.shows("Command?"));
    REQUIRE(scenario.shell("kill -KILL $(cat pid)").status == 0);
    CHECK(terminal.shows("left with 137"));
    CHECK(terminal.is_as_before());
}

TEST_CASE("a password typed at its prompt is neither shown nor kept") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        say(client, "Password: ");
        const auto line = receive_line(client);
        say(client, line == "hunter2\n" ? "welcome\n" : "wrong\n");
    }};
    const Terminal terminal{scenario, server.text()};
    CHECK(terminal.shows("Password:"));
    terminal.type("hunter2");
    terminal.key("Enter");
    CHECK(terminal.shows("welcome\nleft with 0"));
    CHECK(!contains(terminal.text(), "hunter2"));
    CHECK(scenario.read_file("state/ipcbox/tcp-interact/" + server.text()).empty());
}

TEST_CASE("a long line without an end is shown on a terminal as it comes") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        say(client, std::string(3'000, 'x'));
        say(client, "\nend of the flood\n");
    }};
    const Terminal terminal{scenario, "--no-history " + server.text()};
    CHECK(terminal.shows("end of the flood\nleft with 0"));
}

TEST_CASE("Ctrl-Z stops the client with the terminal as it was, and fg brings the line back") {
    Scenario scenario;
    const Peer server{ask_for_commands};
    const Terminal terminal{scenario, server.text()};
    CHECK(terminal.shows("Command?"));
    terminal.type("dat");
    CHECK(terminal.shows("Command? dat"));
    terminal.key("C-z");
    CHECK(terminal.shows("ready>"));
    CHECK(terminal.is_as_before());
    terminal.type("clear; fg");
    terminal.key("Enter");
    CHECK(terminal.shows("Command? dat"));
    terminal.type("e");
    terminal.key("Enter");
    CHECK(terminal.shows("<date>"));
}

TEST_CASE("the line keeps to a terminal that becomes narrow") {
    Scenario scenario;
    const Peer server{ask_for_commands};
    const Terminal terminal{scenario, server.text()};
    CHECK(terminal.shows("Command?"));
    terminal.type("0123456789abcdefghijklmnopqrstuvwxyz");
    CHECK(terminal.shows("wxyz"));
    REQUIRE(scenario.shell("tmux -S server resize-window -x 20 -y 20").status == 0);
    terminal.type("!");
    CHECK(terminal.shows("Command? rstuvwxyz!"));
}

TEST_CASE("--telnet sends a break from the menu") {
    Scenario scenario;
    const Peer server{[](const Fd& client) {
        say(client, "login: ");
        std::string got(2, '\0');
        if (::recv(client.get(), got.data(), 2, MSG_WAITALL) == 2 && got == "\xff\xf3")
            say(client, "\na break\n");
    }};
    const Terminal terminal{scenario, "--telnet " + server.text()};
    CHECK(terminal.shows("login:"));
    terminal.key("C-]");
    CHECK(terminal.shows("q: quit"));
    terminal.type("b");
    CHECK(terminal.shows("a break\nleft with 0"));
}

TEST_CASE("a server that sends byte by byte, NULs among them, is shown as it is") {
    Scenario scenario;
    const std::string text{"a\0b\nc", 5};
    const Peer server{[&text](const Fd& client) {
        for (const char byte : text)
            say(client, {&byte, 1});
    }};
    CHECK(scenario.run({"tcp-interact", "-q", server.text()}).out == text);
    CHECK(scenario.run({"tcp-interact", "-q", "--twin", server.text()}).out == text);
}

#ifdef IPCBOX_HAS_TLS
TEST_CASE("--tls works in a pipe, with two processes and on a terminal that is left") {
    Scenario scenario;
    const Certificate certificate{{}};
    const TlsPeer server{{.certificate = &certificate}, [](TlsConnection& client) {
                             client.say("Command? ");
                             client.say("<" + client.receive_at_least(4) + ">\n");
                             client.end();
                         }};
    for (const Words& more : {Words{}, Words{"--twin"}}) {
        Words words{"tcp-interact", "-q", "--tls", "-k"};
        words.insert(words.end(), more.begin(), more.end());
        words.push_back(server.text());
        const auto result = scenario.run(words, "date");
        CHECK(result.status == 0);
        CHECK(result.err.empty());
        CHECK(result.out == "Command? <date>\n");
    }
    CHECK(scenario.run({"tcp-interact", "-q", "--tls", server.text()}).status == 1);
    const Terminal terminal{scenario, "--tls -k " + server.text()};
    CHECK(terminal.shows("Command?"));
    terminal.key("C-]");
    CHECK(terminal.shows("q: quit"));
    terminal.type("q");
    CHECK(terminal.shows("left with 0"));
}
#endif
