#include "net/peer_process.h"

#include "core/child.h"
#include "core/pipe.h"
#include "core/user.h"
#include "harness/scenario.h"
#include "net/address.h"

#include <array>
#include <climits>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sched.h>
#include <stdexcept>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

using namespace ipcbox;
using test::Scenario;

namespace {

std::pair<Fd, Fd> socket_pair() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    return {Fd::adopt(ends[0]), Fd::adopt(ends[1])};
}

std::string our_exe() {
    std::array<char, PATH_MAX> path{};
    CHECK(::readlink("/proc/self/exe", path.data(), path.size() - 1) > 0);
    return path.data();
}

// A socket that a child connects to. The kernel chooses its abstract name (unix(7), autobind).
class Rendezvous {
  public:
    Rendezvous() : socket_(Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))) {
        const sockaddr unnamed{AF_UNIX, {}};
        REQUIRE(::bind(socket_.get(), &unnamed, sizeof unnamed.sa_family) == 0);
        REQUIRE(::listen(socket_.get(), 1) == 0);
        address_ = net::local_address(socket_.get());
    }

    // For a child, which cannot use REQUIRE. Returns -1 when it fails.
    [[nodiscard]] int connect() const {
        const int number = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return ::connect(number, address_.data(), address_.size()) == 0 ? number : -1;
    }
    [[nodiscard]] Fd accept() const {
        return Fd::adopt(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }

  private:
    Fd socket_;
    net::Address address_;
};

std::string wrong(std::string_view text) {
    try {
        (void)net::PeerRule::parse(text);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "right";
}

} // namespace

TEST_CASE("the peer is the process that made the socket") {
    const auto ends = socket_pair();
    const auto peer = net::PeerProcess::of(ends.first.get());
    CHECK(peer.pid == ::getpid());
    CHECK(peer.uid == ::geteuid());
    CHECK(peer.gid == ::getegid());
    CHECK(peer.exe() == our_exe());
    const auto known_by_pid =
        net::PeerProcess::of(ends.first.get(), net::PeerProcess::Handle::none);
    CHECK(known_by_pid.pid == ::getpid());
    CHECK_FALSE(known_by_pid.exe());
    CHECK_THROWS((void)net::PeerProcess::of(-1));
}

TEST_CASE("a process that has ended has no program any more") {
    const Rendezvous rendezvous;
    Pipe go_on = make_pipe();
    Child child = fork_child([&] {
        go_on.writer = Fd{};
        if (rendezvous.connect() < 0) return 1;
        char byte = 0;
        return static_cast<int>(::read(go_on.reader.get(), &byte, 1));
    });
    const Fd connection = rendezvous.accept();
    const auto early = net::PeerProcess::of(connection.get());
    CHECK(early.pid == child.pid());
    CHECK(early.exe() == our_exe());
    const auto exe = fmt::format("exe={}", our_exe());
    CHECK(net::PeerRule::parse(exe).matches(early));
    go_on.writer = Fd{};
    const auto pid = child.pid();
    CHECK(child.wait().succeeded());
    CHECK_FALSE(early.exe());
    CHECK_FALSE(early.runs(our_exe()));
    CHECK_FALSE(net::PeerRule::parse(exe).matches(early));
    const auto late = net::PeerProcess::of(connection.get());
    CHECK(late.pid == pid);
    CHECK(late.uid == ::geteuid());
    CHECK_FALSE(late.exe());
}

TEST_CASE("every condition of a rule has to hold") {
    const auto ends = socket_pair();
    const auto peer = net::PeerProcess::of(ends.first.get());
    const auto matches = [&](const std::string& text) {
        return net::PeerRule::parse(text).matches(peer);
    };
    const auto uid = ::geteuid();
    const auto gid = ::getegid();
    CHECK(matches(fmt::format("uid={}", uid)));
    CHECK(matches(fmt::format("uid={},gid={},exe={}", uid, gid, our_exe())));
    CHECK(matches(fmt::format("exe={},uid={}", our_exe(), uid)));
    CHECK_FALSE(matches(fmt::format("uid={}", uid + 1)));
    CHECK_FALSE(matches(fmt::format("uid={},gid={}", uid, gid + 1)));
    CHECK_FALSE(matches(fmt::format("uid={},exe=/bin/sh", uid)));
    CHECK(net::PeerRule::parse("exe=/bin/sh,uid=0").asks_for_program());
    CHECK_FALSE(net::PeerRule::parse("uid=0").asks_for_program());
    CHECK(matches("user=root") == (uid == 0));
    CHECK(matches("group=root") == (gid == 0));
    if (const auto us = find_user(uid)) CHECK(matches("user=" + us->name));
}

TEST_CASE("a program is a file, and not the name that it has for the peer") {
    const Scenario scenario;
    const auto ends = socket_pair();
    const auto peer = net::PeerProcess::of(ends.first.get());
    CHECK(peer.runs(our_exe()));
    CHECK_FALSE(peer.runs("/bin/sh"));
    CHECK_FALSE(peer.runs(scenario.path("none")));
    const auto link = scenario.path("link");
    REQUIRE(::symlink(our_exe().c_str(), link.c_str()) == 0);
    CHECK(peer.runs(link));
    CHECK_FALSE(
        net::PeerProcess::of(ends.first.get(), net::PeerProcess::Handle::none).runs(our_exe()));
    if (::geteuid() != 0) {
        MESSAGE("not root: no mount namespace of its own");
        return;
    }
    // This peer has another file at the path of our file.
    const auto trusted = scenario.path("trusted");
    scenario.write_file("trusted", "");
    const Rendezvous rendezvous;
    Child child = fork_child([&] {
        const int socket = rendezvous.connect();
        if (socket < 0 || ::unshare(CLONE_NEWNS) < 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
            ::mount("/bin/sh", trusted.c_str(), nullptr, MS_BIND, nullptr) < 0)
            return 1;
        ::dup2(socket, 0);
        ::execl(trusted.c_str(), "sh", "-c", "echo >&0; read line", nullptr);
        return 1;
    });
    Fd connection = rendezvous.accept();
    char byte = 0;
    if (::read(connection.get(), &byte, 1) != 1) {
        MESSAGE("no mount namespaces here");
        return;
    }
    const auto impostor = net::PeerProcess::of(connection.get());
    CHECK(impostor.exe() == trusted);
    CHECK_FALSE(impostor.runs(trusted));
    CHECK_FALSE(net::PeerRule::parse("exe=" + trusted).matches(impostor));
    CHECK(impostor.runs("/bin/sh"));
    connection = Fd{};
    (void)child.wait();
}

TEST_CASE("a text that is not a rule is refused") {
    constexpr auto keys = "expected uid=, gid=, user=, group= or exe=, and not '{}'";
    CHECK(wrong("") == fmt::format(keys, ""));
    CHECK(wrong("uid=0,") == fmt::format(keys, ""));
    CHECK(wrong("pid=1") == fmt::format(keys, "pid"));
    CHECK(wrong("UID=1") == fmt::format(keys, "UID"));
    for (const auto* text :
         {"uid=", "uid", "uid=root", "uid=-1", "uid=4294967295", "uid=4294967296"})
        CHECK(wrong(text) == "expected a number after uid=");
    CHECK(wrong("gid=wheel") == "expected a number after gid=");
    CHECK(wrong("user=no-such-user") == "there is no user 'no-such-user'");
    CHECK(wrong("group=") == "there is no group ''");
    CHECK(wrong("exe=sh") == "expected the full path of a program after exe=");
    CHECK(wrong("uid=0,user=root") == "expected one user only");
    CHECK(wrong("gid=0,gid=0") == "expected one group only");
    CHECK(wrong("exe=/a,exe=/b") == "expected one program only");
}
