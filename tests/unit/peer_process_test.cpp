#include "net/peer_process.h"

#include "core/pipe.h"
#include "core/process.h"
#include "core/user.h"

#include <array>
#include <climits>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

using namespace ipcbox;

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

std::string wrong(std::string_view text) {
    try {
        (void)PeerRule::parse(text);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "right";
}

} // namespace

TEST_CASE("the peer is who made the socket") {
    const auto ends = socket_pair();
    const auto peer = PeerProcess::of(ends.first.get());
    CHECK(peer.pid == ::getpid());
    CHECK(peer.uid == ::geteuid());
    CHECK(peer.gid == ::getegid());
    CHECK(peer.exe() == our_exe());
    const auto known_by_pid = PeerProcess::of(ends.first.get(), PeerProcess::Handle::none);
    CHECK(known_by_pid.pid == ::getpid());
    CHECK_FALSE(known_by_pid.exe());
    CHECK_THROWS((void)PeerProcess::of(-1));
}

TEST_CASE("who has ended has no program any more") {
    // The child connects, so to say, and ends; its pid may be another's from then on.
    const Fd listening = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr unnamed{AF_UNIX, {}};
    REQUIRE(::bind(listening.get(), &unnamed, sizeof unnamed.sa_family) == 0); // autobind, unix(7)
    REQUIRE(::listen(listening.get(), 2) == 0);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::getsockname(listening.get(), name, &size) == 0);
    Pipe go_on = make_pipe();
    Child child = fork_child([&] {
        go_on.writer = Fd{};
        const int number = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(number, name, size) < 0) return 1;
        char byte = 0;
        return static_cast<int>(::read(go_on.reader.get(), &byte, 1));
    });
    const Fd connection = Fd::adopt(::accept(listening.get(), nullptr, nullptr));
    const auto early = PeerProcess::of(connection.get());
    CHECK(early.pid == child.pid());
    CHECK(early.exe() == our_exe());
    const auto exe = fmt::format("exe={}", our_exe());
    CHECK(PeerRule::parse(exe).matches(early));
    go_on.writer = Fd{};
    const auto pid = child.pid();
    CHECK(child.wait().succeeded());
    CHECK_FALSE(early.exe());
    CHECK_FALSE(PeerRule::parse(exe).matches(early));
    const auto late = PeerProcess::of(connection.get());
    CHECK(late.pid == pid);
    CHECK(late.uid == ::geteuid());
    CHECK_FALSE(late.exe());
}

TEST_CASE("every condition of a rule has to hold") {
    const auto ends = socket_pair();
    const auto peer = PeerProcess::of(ends.first.get());
    const auto matches = [&](const std::string& text) {
        return PeerRule::parse(text).matches(peer);
    };
    const auto uid = ::geteuid();
    const auto gid = ::getegid();
    CHECK(matches(fmt::format("uid={}", uid)));
    CHECK(matches(fmt::format("uid={},gid={},exe={}", uid, gid, our_exe())));
    CHECK(matches(fmt::format("exe={},uid={}", our_exe(), uid)));
    CHECK_FALSE(matches(fmt::format("uid={}", uid + 1)));
    CHECK_FALSE(matches(fmt::format("uid={},gid={}", uid, gid + 1)));
    CHECK_FALSE(matches(fmt::format("uid={},exe=/bin/sh", uid)));
    CHECK(PeerRule::parse("exe=/bin/sh,uid=0").asks_for_program());
    CHECK_FALSE(PeerRule::parse("uid=0").asks_for_program());
    CHECK(matches("user=root") == (uid == 0));
    CHECK(matches("group=root") == (gid == 0));
    if (const auto us = find_user(uid)) CHECK(matches("user=" + us->name));
}

TEST_CASE("what is no rule") {
    constexpr auto keys = "expected uid=, gid=, user=, group= or exe=, and not '{}'";
    CHECK(wrong("") == fmt::format(keys, ""));
    CHECK(wrong("uid=0,") == fmt::format(keys, ""));
    CHECK(wrong("pid=1") == fmt::format(keys, "pid"));
    CHECK(wrong("UID=1") == fmt::format(keys, "UID"));
    for (const auto* text :
         {"uid=", "uid", "uid=root", "uid=-1", "uid=4294967295", "uid=4294967296"})
        CHECK(wrong(text) == "expected a number behind uid=");
    CHECK(wrong("gid=wheel") == "expected a number behind gid=");
    CHECK(wrong("user=no-such-user") == "there is no user 'no-such-user'");
    CHECK(wrong("group=") == "there is no group ''");
    CHECK(wrong("exe=sh") == "expected the whole path of a program behind exe=");
    CHECK(wrong("uid=0,user=root") == "expected one user only");
    CHECK(wrong("gid=0,gid=0") == "expected one group only");
    CHECK(wrong("exe=/a,exe=/b") == "expected one program only");
}
