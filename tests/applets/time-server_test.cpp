#include "harness/client.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include "clocks/time_protocol.h"
#include "core/error.h"
#include "core/poll.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

constexpr auto limit = 30s;

net::Address at(const std::string& ip, std::uint16_t port) {
    return net::Address::parse_ip(ip, port).value();
}

// A client that asks by datagrams. The test chooses its address.
class Asker {
  public:
    explicit Asker(const net::Address& own = at("127.0.0.1", 0))
        : socket_(Fd::adopt(::socket(own.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0))) {
        REQUIRE(::bind(socket_.get(), own.data(), own.size()) == 0);
    }

    void ask(const net::Address& server, std::string_view text = {}) const {
        REQUIRE(::sendto(socket_.get(), text.data(), text.size(), 0, server.data(),
                         server.size()) == static_cast<ssize_t>(text.size()));
    }
    struct Answer {
        std::string text;
        net::Address from;
    };
    [[nodiscard]] Answer answer() const {
        REQUIRE(wait_for(socket_.get(), POLLIN, Deadline::after(limit)));
        return *answer_that_is_there();
    }
    [[nodiscard]] std::optional<Answer> answer_that_is_there() const {
        std::array<char, 128> text{};
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const ssize_t got = ::recvfrom(socket_.get(), text.data(), text.size(), MSG_DONTWAIT,
                                       reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) return std::nullopt;
        return Answer{{text.data(), static_cast<std::size_t>(got)}, net::Address{from, size}};
    }
    [[nodiscard]] net::Address address() const { return net::local_address(socket_.get()); }

  private:
    Fd socket_;
};

// How far the clock in an answer of RFC 868 is ahead of this host's.
std::int64_t offset_of(std::string_view answer) {
    const auto now = std::time(nullptr);
    return clocks::decode_time(answer, now).value() - now;
}
// Allows for the time that passes during the question.
bool is_about(std::int64_t seconds, std::int64_t expected) {
    return seconds >= expected - 1 && seconds <= expected + 1;
}
bool is_daytime(std::string_view answer) {
    return answer.size() == 26 && answer.ends_with("\r\n") && answer.substr(19, 3) == " 20";
}

Words server(const Words& options, const Words& places = {"127.0.0.1:0"}) {
    Words words{"time-server"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), places.begin(), places.end());
    return words;
}

// The next ready line, without the words that all of them have.
std::string ready_text(Process& process) {
    const auto line = process.error_line();
    constexpr std::string_view start = "time-server: listening on ";
    REQUIRE(line.starts_with(start));
    return line.substr(start.size());
}

// Reads the ready lines of a server on one address, and returns that address.
net::Address ready(Process& process) {
    const auto address = ready_address(process);
    CHECK(ready_address(process) == address);
    return address;
}

// Stops a process while this object exists. Everything that is sent to it in the meantime arrives
// at the same time.
class Stopped {
  public:
    explicit Stopped(const Process& process) : process_(process) {
        process.kill(SIGSTOP);
        siginfo_t info{};
        REQUIRE(::waitid(P_PID, static_cast<id_t>(process.pid()), &info, WSTOPPED) == 0);
    }
    ~Stopped() { process_.kill(SIGCONT); }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;

  private:
    const Process& process_;
};

} // namespace

TEST_CASE("the server tells the time over both transports, on one port") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto tcp = ready_text(process);
    const auto udp = ready_text(process);
    const auto address = announced_address("listening on " + tcp);
    CHECK(tcp == address.text() + " (time, tcp)");
    CHECK(udp == address.text() + " (time, udp)");
    CHECK(is_about(offset_of(ask(address)), 0));
    CHECK(is_about(offset_of(ask(address, "what is it?\n")), 0));
    const Asker asker;
    for (const char* question : {"", "what time is it?"}) {
        asker.ask(address, question);
        const auto answer = asker.answer();
        CHECK(is_about(offset_of(answer.text), 0));
        CHECK(answer.from == address);
    }
    process.kill(SIGTERM);
    const auto result = process.wait();
    CHECK(result.status == 0);
    CHECK(result.out.empty());
    CHECK(result.err.empty());
}

TEST_CASE("every signal that ends a server ends it well") {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        Scenario scenario;
        auto process = scenario.start(server({"--tcp"}));
        (void)ready_address(process);
        process.kill(signal);
        CHECK(process.wait().status == 0);
    }
}

TEST_CASE("the server's clock can be wrong by any offset") {
    Scenario scenario;
    for (const auto& [offset, seconds] :
         std::initializer_list<std::pair<const char*, int>>{{"-3600", -3600}, {"+1.5h", 5400}}) {
        auto process = scenario.start(server({"--offset", offset, "--udp"}));
        const auto address = ready_address(process);
        const Asker asker;
        asker.ask(address);
        CHECK(is_about(offset_of(asker.answer().text), seconds));
    }
    // After the end of the era in 2036, the four bytes begin at 0 again (RFC 868).
    auto process = scenario.start(server({"--offset", "5000d", "--tcp"}));
    CHECK(is_about(offset_of(ask(ready_address(process))), 5000L * 86400));
}

TEST_CASE("the daytime is served on its own port") {
    Scenario scenario;
    auto process = scenario.start(server({"--daytime", "0"}));
    const auto time = ready(process);
    const auto daytime = ready_text(process);
    const auto address = announced_address("listening on " + daytime);
    CHECK(address.port() != time.port());
    CHECK(daytime == address.text() + " (daytime, tcp)");
    CHECK(ready_text(process) == address.text() + " (daytime, udp)");
    CHECK(is_daytime(ask(address)));
    CHECK(is_about(offset_of(ask(time)), 0));
    const Asker asker;
    asker.ask(address, "?");
    CHECK(is_daytime(asker.answer().text));
}

TEST_CASE("on all interfaces, the address that was asked answers") {
    Scenario scenario;
    auto process = scenario.start({"time-server", "-p", "0"});
    const auto port = ready(process).port();
    const Asker four{at("0.0.0.0", 0)};
    for (const char* ip : {"127.9.8.7", "127.0.0.1", "127.1.2.3"}) {
        four.ask(at(ip, port));
        CHECK(four.answer().from == at(ip, port));
        CHECK(is_about(offset_of(ask(at(ip, port))), 0));
    }
    const Asker six{at("::", 0)};
    six.ask(at("::1", port));
    CHECK(six.answer().from == at("::1", port));
}

TEST_CASE("the server names each of its several places") {
    Scenario scenario;
    auto process = scenario.start(
        server({"--daytime", "0", "--udp"}, {"127.0.0.1:0", "127.0.0.2:0", "127.0.0.1:0"}));
    std::array<std::string, 5> places;
    for (auto& place : places)
        place = ready_text(process);
    CHECK(places[0].ends_with(" (time, udp)"));
    CHECK(places[1].starts_with("127.0.0.1:"));
    CHECK(places[1].ends_with(" (daytime, udp)"));
    CHECK(places[2].starts_with("127.0.0.2:"));
    CHECK(places[3].ends_with(" (daytime, udp)"));
    CHECK(places[4].ends_with(" (time, udp)")); // this host has a daytime already
}

TEST_CASE("--tcp and --udp leave out the other transport") {
    Scenario scenario;
    auto tcp = scenario.start(server({"--tcp"}));
    const auto address = ready_address(tcp);
    const Fd udp = Fd::adopt(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(udp.get(), address.data(), address.size()) == 0);
    REQUIRE(::send(udp.get(), "", 0, 0) == 0);
    std::array<char, 8> answer{};
    CHECK(::recv(udp.get(), answer.data(), answer.size(), 0) == -1);
    CHECK(errno == ECONNREFUSED);
    auto other = scenario.start(server({"--udp"}));
    CHECK_THROWS((void)ask(ready_address(other)));
}

TEST_CASE("a delayed answer is late, and tells the time at which it is given") {
    Scenario scenario;
    auto process = scenario.start(server({"--delay", "1100ms"}));
    const auto address = ready(process);
    const auto start = Deadline::Clock::now();
    const Asker asker;
    asker.ask(address);
    Client client{address};
    CHECK(is_about(offset_of(asker.answer().text), 0));
    CHECK(Deadline::Clock::now() - start >= 1100ms);
    CHECK(is_about(offset_of(client.rest()), 0));
    CHECK(Deadline::Clock::now() - start >= 1100ms);
}

TEST_CASE("answers that are kept back do not keep it from ending") {
    Scenario scenario;
    auto process = scenario.start(server({"--delay", "1h"}));
    const auto address = ready(process);
    const Asker asker;
    asker.ask(address);
    Client client{address};
    CHECK(eventually([&] { return is_blocked_in(process.pid(), SYS_ppoll); }));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
    CHECK(is_turned_away(client));
    CHECK_FALSE(asker.answer_that_is_there());
}

TEST_CASE("an address gets ten answers a second, even all at once") {
    Scenario scenario;
    auto process = scenario.start(server({"--udp", "-v"}));
    const auto address = ready_address(process);
    const Asker many;
    const Asker other{at("127.0.0.2", 0)};
    {
        const Stopped stopped{process};
        for (int question = 0; question < 11; ++question)
            many.ask(address);
        other.ask(address);
    }
    for (int answer = 0; answer < 10; ++answer)
        CHECK(is_about(offset_of(many.answer().text), 0));
    CHECK(is_about(offset_of(other.answer().text), 0)); // the last to come
    CHECK_FALSE(many.answer_that_is_there());
    process.kill(SIGTERM);
    CHECK(log_line(process, "answered") == "time-server: 11 answered, 1 refused");
}

TEST_CASE("the rate can be chosen") {
    Scenario scenario;
    for (const auto& [rate, answers] :
         std::initializer_list<std::pair<const char*, int>>{{"1", 1}, {"0", 40}}) {
        auto process = scenario.start(server({"--udp", "--rate", rate, "-v"}));
        const auto address = ready_address(process);
        const Asker many;
        const Asker last{at("127.0.0.2", 0)};
        {
            const Stopped stopped{process};
            for (int question = 0; question < 40; ++question)
                many.ask(address);
            last.ask(address);
        }
        (void)last.answer();
        process.kill(SIGTERM);
        CHECK(log_line(process, "answered") ==
              fmt::format("time-server: {} answered, {} refused", answers + 1, 40 - answers));
    }
}

TEST_CASE("a sender that would answer back gets no answer") {
    Scenario scenario;
    auto process = scenario.start(server({"--udp", "--daytime", "0", "-v"}));
    const auto address = ready_address(process);
    const auto daytime = ready_address(process);
    // A client that looks like another server: it has the same port on another address.
    const Asker server_like{at("127.0.0.2", address.port())};
    const Asker daytime_like{at("127.0.0.2", daytime.port())};
    server_like.ask(address);
    daytime_like.ask(address);
    int refused = 2;
    std::optional<Asker> reserved;
    if (::geteuid() == 0) {
        // An address of its own: the same test can run at the same time.
        const auto pid = ::getpid();
        const auto own =
            fmt::format("127.{}.{}.{}", 64 + pid / 65536 % 64, pid / 256 % 256, pid % 256);
        reserved.emplace(at(own, 37));
        reserved->ask(address);
        ++refused;
    }
    const Asker last;
    last.ask(address);
    (void)last.answer();
    CHECK_FALSE(server_like.answer_that_is_there());
    CHECK_FALSE(daytime_like.answer_that_is_there());
    if (reserved) CHECK_FALSE(reserved->answer_that_is_there());
    process.kill(SIGTERM);
    CHECK(log_line(process, "answered") ==
          fmt::format("time-server: 1 answered, {} refused", refused));
}

TEST_CASE("a datagram that was sent to everybody has no answer") {
    Scenario scenario;
    auto process = scenario.start({"time-server", "--udp", "-p", "0", "-v"});
    const auto port = ready_address(process).port();
    const Asker asker{at("0.0.0.0", 0)};
    const Fd all = Fd::adopt(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    REQUIRE(::setsockopt(all.get(), SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == 0);
    const auto everybody = at("127.255.255.255", port);
    REQUIRE(::sendto(all.get(), "", 0, 0, everybody.data(), everybody.size()) == 0);
    asker.ask(at("127.0.0.1", port));
    (void)asker.answer();
    process.kill(SIGTERM);
    CHECK(log_line(process, "answered") == "time-server: 1 answered, 1 refused");
}

TEST_CASE("clients that send too much or read nothing delay nobody") {
    Scenario scenario;
    auto process = scenario.start(server({"--tcp"}));
    const auto address = ready_address(process);
    std::vector<Client> silent;
    for (int client = 0; client < 100; ++client)
        silent.emplace_back(address);
    Client gone{address};
    gone.reset();
    Client talker{address};
    const std::string flood(1024UL * 1024, 'x');
    try {
        for (;;)
            talker.send(flood); // until the server ends the connection
    } catch (const Error& error) {
        CHECK(std::string_view{error.what()}.find("timed out") == std::string_view::npos);
    }
    CHECK(is_about(offset_of(ask(address)), 0));
    for (auto& client : silent)
        CHECK(client.rest().size() == 4);
}

TEST_CASE("a shortage of descriptors is reported, and waited out") {
    Scenario scenario;
    // Descriptors for the server itself and for three clients.
    auto process =
        scenario.start_shell("exec 9>&-; ulimit -n $1; shift; exec \"$@\"",
                             {"12", "time-server", "--tcp", "--delay", "300ms", "127.0.0.1:0"});
    const auto address = ready_address(process);
    std::vector<Client> clients;
    for (int client = 0; client < 20; ++client)
        clients.emplace_back(address);
    for (auto& client : clients)
        CHECK(is_about(offset_of(client.rest()), 0));
    CHECK(process.error_line() ==
          "time-server: cannot accept a connection on " + address.text() + ": Too many open files");
    process.kill(SIGTERM);
    CHECK(process.wait().err.empty()); // it was reported once, above
}

TEST_CASE("UDP is answered while TCP lacks descriptors") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready(process);
    rlimit old{};
    REQUIRE(::prlimit(process.pid(), RLIMIT_NOFILE, nullptr, &old) == 0);
    const rlimit none{3, old.rlim_max}; // no new descriptors; those that are open stay open
    REQUIRE(::prlimit(process.pid(), RLIMIT_NOFILE, &none, nullptr) == 0);
    Client client{address};
    CHECK(process.error_line() ==
          "time-server: cannot accept a connection on " + address.text() + ": Too many open files");
    const Asker asker;
    for (int time = 0; time < 3; ++time) {
        asker.ask(address);
        CHECK(is_about(offset_of(asker.answer().text), 0));
    }
    REQUIRE(::prlimit(process.pid(), RLIMIT_NOFILE, &old, nullptr) == 0);
    CHECK(is_about(offset_of(client.rest()), 0));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("the message names the process that has the port") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready(process);
    for (const char* transport : {"--tcp", "--udp"}) {
        const auto result = scenario.run(server({transport}, {address.text()}));
        CHECK(result.status == 1);
        CHECK(result.err.starts_with(
            fmt::format("time-server: cannot listen on {}: Address already in use (by {} (",
                        address.text(), process.pid())));
    }
    CHECK(scenario.run(server({}, {"192.0.2.1:0"})).err ==
          "time-server: cannot listen on 192.0.2.1:0: Cannot assign requested address (no "
          "interface of this machine has it)\n");
}

TEST_CASE("the server uses the sockets that it is started with") {
    Scenario scenario;
    const Fd tcp = listen_at(at("127.0.0.1", 0));
    const Fd udp = Fd::adopt(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto any = at("::", 0); // takes IPv4 as well, like the sockets of systemd.socket(5)
    REQUIRE(::bind(udp.get(), any.data(), any.size()) == 0);
    const auto daytime = net::local_address(udp.get()).port();
    Child child = fork_child([&] {
        // Copy them to high numbers first, because a socket may have the number that the other one
        // needs.
        const int high_tcp = ::fcntl(tcp.get(), F_DUPFD, 100);
        const int high_udp = ::fcntl(udp.get(), F_DUPFD, 100);
        ::dup2(high_tcp, 3);
        ::dup2(high_udp, 4);
        ::setenv("LISTEN_FDS", "2", 1);
        ::setenv("LISTEN_PID", fmt::format("{}", ::getpid()).c_str(), 1);
        const auto port = fmt::format("{}", daytime);
        ::execlp("time-server", "time-server", "-q", "--daytime", port.c_str(), nullptr);
        return 127;
    });
    CHECK(is_about(offset_of(ask(net::local_address(tcp.get()))), 0));
    for (const char* ip : {"127.4.5.6", "::1"}) {
        const Asker asker{at(ip[0] == ':' ? "::" : "0.0.0.0", 0)};
        asker.ask(at(ip, daytime));
        const auto answer = asker.answer();
        CHECK(is_daytime(answer.text));
        CHECK(answer.from == at(ip, daytime));
    }
    child.kill(SIGTERM);
    CHECK(child.wait().as_exit_status() == 0);
}

TEST_CASE("--notify-fd gets the ready lines, and its end") {
    Scenario scenario;
    auto process = scenario.start(server({"--notify-fd", "1"}));
    const auto line = process.line();
    CHECK(line.starts_with("listening on 127.0.0.1:"));
    CHECK(line.ends_with(" (time, tcp)"));
    CHECK(process.line().ends_with(" (time, udp)"));
    CHECK(process.line().empty());
    CHECK(is_about(offset_of(ask(announced_address(line))), 0));
    const auto refused = scenario.run(server({"-J", "--notify-fd", "1"}));
    CHECK(refused.status == 2);
    CHECK(refused.err.find("would close standard output") != std::string::npos);
}

TEST_CASE("-v and --json report each answer") {
    Scenario scenario;
    auto process = scenario.start(server({"-v", "--json"}));
    const auto address = ready(process);
    Client client{address};
    const auto own = client.address().text();
    CHECK(client.rest().size() == 4);
    CHECK(process.error_line() ==
          fmt::format("time-server: {} asked {} (time, tcp)", own, address.text()));
    const auto start = fmt::format(R"({{"v":1,"client":"{}","asked":"{}","protocol":"time",)", own,
                                   address.text());
    const auto object = process.line();
    CHECK(object.starts_with(start + R"("transport":"tcp","time":"20)"));
    CHECK(object.ends_with(R"(Z"})"));
    const Asker asker;
    asker.ask(address);
    (void)asker.answer();
    CHECK(process.error_line() == fmt::format("time-server: {} asked {} (time, udp)",
                                              asker.address().text(), address.text()));
}

TEST_CASE("a log that nobody reads does not stop it") {
    Scenario scenario;
    auto process = scenario.start(server({"-v", "--rate", "0"}));
    const auto address = ready(process);
    const Asker asker;
    // The log gets more lines than a pipe holds (65536 bytes).
    for (int question = 0; question < 2000; ++question) {
        asker.ask(address);
        (void)asker.answer();
    }
    CHECK(is_about(offset_of(ask(address)), 0));
}

TEST_CASE("the server can become another user") {
    if (::geteuid() != 0) return;
    Scenario scenario;
    auto process = scenario.start(server({"-u", "nobody"}));
    CHECK(ask(ready(process)).size() == 4);
    CHECK(scenario.shell("stat -c %U /proc/$1", {fmt::format("{}", process.pid())}).out ==
          "nobody\n");
}

TEST_CASE("a host without a port has that of --port") {
    Scenario scenario;
    struct Case {
        const char* host;
        std::vector<std::string_view> starts;
    };
    for (const auto& [host, starts] :
         std::initializer_list<Case>{{"localhost", {"127.0.0.1:", "[::1]:"}},
                                     {"127.0.0.1", {"127.0.0.1:"}},
                                     {"[::1]", {"[::1]:"}},
                                     {"::1", {"[::1]:"}}}) {
        const std::string named = host;
        CAPTURE(named);
        auto process = scenario.start({"time-server", "--tcp", "-p", "0", named});
        const auto text = ready_text(process);
        CHECK(std::ranges::any_of(starts, [&](auto start) { return text.starts_with(start); }));
        CHECK_FALSE(text.find(":0 ") != std::string::npos);
        CHECK(text.ends_with(" (time, tcp)"));
    }
}

TEST_CASE("an invalid command line is a usage error") {
    Scenario scenario;
    for (const auto& words : std::initializer_list<Words>{{"-p", "37", "localhost:37"},
                                                          {"-p", "37", "38"},
                                                          {"no host"},
                                                          {"--offset", "200000d"},
                                                          {"--rate", "-1"},
                                                          {"--delay", "-1"}}) {
        Words command{"time-server"};
        command.insert(command.end(), words.begin(), words.end());
        CHECK(scenario.run(command).status == 2);
    }
}

TEST_CASE("HOST PORT is not taken for a host and a port of all interfaces") {
    Scenario scenario;
    const auto result = scenario.run({"time-server", "localhost", "3737"});
    CHECK(result.status == 2);
    CHECK(result.err == "time-server: for port 3737 of localhost, write localhost:3737 (see "
                        "time-server --help)\n");
    CHECK(scenario.run({"time-server", "0", "3737"}).status == 2);
}
