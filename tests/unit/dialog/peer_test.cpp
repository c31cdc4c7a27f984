#include "dialog/peer.h"

#include "core/error.h"
#include "core/event.h"
#include "core/io.h"
#include "core/socket_pair.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>
#include <vector>

namespace ipcbox::dialog {
namespace {

constexpr std::chrono::seconds limit{20};

struct Shell {
    explicit Shell(const std::string& script)
        : words{"sh", "-c", script}, session{
                                         "/bin/sh", words, {.rows = 33, .columns = 99}, Echo::off} {
        session.interrupt_by(event.fd());
    }

    std::string to_end() {
        std::string text;
        auto last = Peer::Event::output;
        while (last == Peer::Event::output)
            last = session.read(text, Deadline::after(limit));
        CHECK(last == Peer::Event::end);
        return text;
    }
    Peer::Event type(std::string_view typed, std::string& text, Deadline deadline) {
        return session.send(typed, text, deadline);
    }
    int status() { return session.status(Deadline::after(limit)).value_or(-1); }

    Event event;
    std::vector<std::string> words;
    Peer session;
};

TEST_CASE("the program has a terminal of its own, with the size that was asked for") {
    Shell shell{"test -t 0 && test -t 1 && test -t 2 && stty size </dev/tty; exit 3"};
    CHECK(shell.to_end() == "33 99\r\n");
    CHECK(shell.status() == 3);
}

TEST_CASE("all output is read before the end, however much there is") {
    Shell shell{"seq 20000; exit 7"};
    const auto text = shell.to_end();
    std::string expected;
    for (int number = 1; number <= 20000; ++number)
        expected += fmt::format("{}\r\n", number);
    CHECK(text == expected);
    CHECK(shell.status() == 7);
}

TEST_CASE("typed text is read, and the end of the input is the end of the file") {
    Shell shell{"cat; echo over"};
    std::string text;
    CHECK(shell.type("hello\n", text, Deadline::after(limit)) == Peer::Event::output);
    CHECK(shell.type(shell.session.end_of_input(), text, Deadline::after(limit)) ==
          Peer::Event::output);
    CHECK(text + shell.to_end() == "hello\r\nover\r\n");
}

TEST_CASE("a process that keeps the terminal open does not keep the session from ending") {
    Shell shell{"trap '' HUP; sleep 100 & echo $!"};
    const auto text = shell.to_end();
    CHECK(shell.status() == 0);
    ::kill(std::stoi(text), SIGKILL);
}

TEST_CASE("much text for a program that writes as much does not hang") {
    Shell shell{"stty raw; echo go; exec cat"};
    std::string text;
    while (text.find("go") == std::string::npos)
        REQUIRE(shell.session.read(text, Deadline::after(limit)) == Peer::Event::output);
    text.clear();
    const std::string sent(200'000, 'x');
    REQUIRE(shell.type(sent, text, Deadline::after(limit)) == Peer::Event::output);
    while (static_cast<std::size_t>(std::count(text.begin(), text.end(), 'x')) < sent.size())
        REQUIRE(shell.session.read(text, Deadline::after(limit)) == Peer::Event::output);
}

TEST_CASE("a line that is longer than the terminal holds arrives whole, over several sends, too") {
    Shell shell{"echo go; exec wc -c"};
    std::string text;
    while (text.find("go") == std::string::npos)
        REQUIRE(shell.session.read(text, Deadline::after(limit)) == Peer::Event::output);
    constexpr int pieces = 7;
    for (int piece = 0; piece < pieces; ++piece)
        REQUIRE(shell.type(std::string(1001, 'x'), text, Deadline::after(limit)) ==
                Peer::Event::output);
    REQUIRE(shell.type(std::string(10'000, 'y') + "\nend", text, Deadline::after(limit)) ==
            Peer::Event::output);
    REQUIRE(shell.type(shell.session.end_of_input(), text, Deadline::after(limit)) ==
            Peer::Event::output);
    CHECK(shell.to_end() == "17011\r\n");
}

TEST_CASE("a program is told when its terminal hangs up") {
    ::signal(SIGHUP, SIG_DFL); // nohup makes us ignore it
    Shell shell{"echo up; exec cat"};
    std::string text;
    REQUIRE(shell.session.read(text, Deadline::after(limit)) == Peer::Event::output);
    shell.session.hang_up();
    CHECK(shell.status() == 128 + SIGHUP);
}

TEST_CASE("a program that ignores that its terminal hung up is killed") {
    Shell shell{"trap '' HUP; echo up; while :; do sleep 0.01; done"};
    std::string text;
    REQUIRE(shell.session.read(text, Deadline::after(limit)) == Peer::Event::output);
    shell.session.end();
    CHECK(shell.status() == 128 + SIGKILL);
}

TEST_CASE("a program that asks for a secret is noticed") {
    Shell shell{"stty echo; echo shown; read -r x; stty -echo; echo hidden; read -r x"};
    std::string text;
    while (text.find("shown") == std::string::npos)
        REQUIRE(shell.session.read(text, Deadline::after(limit)) == Peer::Event::output);
    CHECK_FALSE(shell.session.hides_input());
    REQUIRE(shell.type("\n", text, Deadline::after(limit)) == Peer::Event::output);
    while (text.find("hidden") == std::string::npos)
        REQUIRE(shell.session.read(text, Deadline::after(limit)) == Peer::Event::output);
    CHECK(shell.session.hides_input());
}

TEST_CASE("a socket's peer is read, written to and told the end") {
    auto pair = make_socket_pair();
    set_nonblocking(pair.ours);
    Peer peer{std::move(pair.ours), "the server"};
    std::string text;
    std::string_view sent{"hello"};
    REQUIRE(peer.send(sent, text, Deadline::after(limit)) == Peer::Event::output);
    CHECK(peer.end_of_input().empty());
    CHECK(read_to_end(pair.theirs.get(), 100, "the pair") == "hello");
    write_all(pair.theirs.get(), "bye", "the pair");
    pair.theirs = Fd{};
    while (peer.read(text, Deadline::after(limit)) == Peer::Event::output) {
    }
    CHECK(text == "bye");
    CHECK(peer.status(Deadline::never()) == 0);
}

TEST_CASE("a wait ends when its time is up and when it is interrupted") {
    Shell shell{"exec cat"};
    std::string text;
    CHECK(shell.session.read(text, Deadline::after(std::chrono::milliseconds{1})) ==
          Peer::Event::timeout);
    shell.event.signal();
    CHECK(shell.session.read(text, Deadline::after(limit)) == Peer::Event::interrupt);
}

} // namespace
} // namespace ipcbox::dialog
