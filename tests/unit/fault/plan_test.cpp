#include "fault/plan.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ipcbox::fault;
using namespace ipcbox::sys;
using Process = Plan::Process;

namespace {

template <class... Values>
detail::Fault ask(Plan& plan, const char* call, Process process, Values... values) {
    const std::array arguments{detail::describe(values)...};
    return plan.next(call, arguments, process);
}

int open_fails(Plan& plan, Process process = Process::first) {
    return ask(plan, "open", process, "/", O_RDONLY, 0).error;
}

// Both ends of a pipe. The writing end can be non-blocking.
struct Ends {
    Ends() { REQUIRE(::pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC) == 0); }
    ~Ends() {
        ::close(fds[0]);
        ::close(fds[1]);
    }
    Ends(const Ends&) = delete;
    Ends& operator=(const Ends&) = delete;

    std::array<int, 2> fds{};
};

} // namespace

TEST_CASE("every Nth call fails") {
    auto plan = Plan::parse("open=EINTR%3");
    for (const int expected : {0, 0, EINTR, 0, 0, EINTR})
        CHECK(open_fails(plan) == expected);
}

TEST_CASE("the Nth call fails, once") {
    auto plan = Plan::parse("*=ENOMEM@2");
    for (const int expected : {0, ENOMEM, 0, 0})
        CHECK(open_fails(plan) == expected);
}

TEST_CASE("the calls of children are counted for themselves") {
    auto own = Plan::parse("*=EMFILE@1");
    auto child = Plan::parse("*=EMFILE@child1");
    CHECK(open_fails(own, Process::child) == 0);
    CHECK(open_fails(own) == EMFILE);
    CHECK(open_fails(child) == 0);
    CHECK(open_fails(child, Process::child) == EMFILE);
}

TEST_CASE("several rules stand side by side") {
    auto plan = Plan::parse("open=EMFILE@1,open=EACCES@2,*=EINTR@3");
    for (const int expected : {EMFILE, EACCES, EINTR, 0})
        CHECK(open_fails(plan) == expected);
}

TEST_CASE("a call fails only as the kernel could make it fail") {
    auto plan = Plan::parse("*=ENOMEM%1,*=ENOSPC%1,*=EAGAIN%1,*=EACCES%1");
    CHECK(ask(plan, "close", Process::first, 3).error == 0);
    CHECK(ask(plan, "pipe2", Process::first, nullptr, 0).error == 0);
    CHECK(ask(plan, "semctl", Process::first, 1, 0, IPC_RMID, nullptr).error == 0);
    CHECK(ask(plan, "semctl", Process::first, 1, 0, IPC_STAT, nullptr).error == EACCES);
    CHECK(ask(plan, "semget", Process::first, 1234, 0, 0).error == EACCES);
    CHECK(ask(plan, "semget", Process::first, 1234, 1, IPC_CREAT).error == ENOSPC);
}

TEST_CASE("an address fails as its family can") {
    auto plan = Plan::parse("*=EADDRNOTAVAIL%1,*=ENOSPC%1,*=EAFNOSUPPORT%1,*=ENOPROTOOPT%1");
    sockaddr_un name{};
    const auto bind = [&](sa_family_t family, const char* path) {
        name.sun_family = family;
        std::strcpy(name.sun_path, path);
        const auto* address = reinterpret_cast<const sockaddr*>(&name);
        return ask(plan, "bind", Process::first, 3, address, socklen_t{sizeof name}).error;
    };
    CHECK(bind(AF_INET, "") == EADDRNOTAVAIL);
    CHECK(bind(AF_INET6, "") == EADDRNOTAVAIL);
    CHECK(bind(AF_UNIX, "/socket") == ENOSPC);
    CHECK(bind(AF_UNIX, "") == 0); // an abstract name
    CHECK(ask(plan, "socket", Process::first, AF_INET6, SOCK_STREAM, 0).error == EAFNOSUPPORT);
    CHECK(ask(plan, "socket", Process::first, AF_INET, SOCK_STREAM, 0).error == 0);
    const auto get_option = [&](int option) {
        return ask(plan, "getsockopt", Process::first, 3, SOL_SOCKET, option, nullptr).error;
    };
    CHECK(get_option(SO_TYPE) == 0);
    CHECK(get_option(77) == ENOPROTOOPT); // SO_PEERPIDFD
}

TEST_CASE("a semop says that it would wait only when it may") {
    auto plan = Plan::parse("semtimedop=EAGAIN%1");
    const timespec limit{};
    const sembuf waits{0, -1, 0};
    const sembuf does_not_wait{0, -1, IPC_NOWAIT};
    const auto failure = [&](const sembuf& operation, const timespec* deadline) {
        return ask(plan, "semtimedop", Process::first, 1, &operation, std::size_t{1}, deadline)
            .error;
    };
    CHECK(failure(waits, nullptr) == 0);
    CHECK(failure(waits, &limit) == EAGAIN);
    CHECK(failure(does_not_wait, nullptr) == EAGAIN);
}

TEST_CASE("a pipe takes a small write whole, or says that it would wait") {
    const Ends pipe;
    auto plan = Plan::parse("write=SHORT%1");
    const auto shortened = [&](std::size_t size) {
        return ask(plan, "write", Process::first, pipe.fds[1], "text", size).shortened;
    };
    CHECK_FALSE(shortened(4));
    CHECK(shortened(100'000));
    auto full = Plan::parse("write=EAGAIN%1");
    CHECK(ask(full, "write", Process::first, pipe.fds[1], "text", std::size_t{4}).error == EAGAIN);
}

TEST_CASE("a call that never sleeps is never interrupted") {
    const Ends pipe;
    auto plan = Plan::parse("*=EINTR%1");
    CHECK(ask(plan, "read", Process::first, pipe.fds[0], nullptr, std::size_t{4}).error == 0);
    CHECK(ask(plan, "open", Process::first, "/", O_RDONLY | O_NONBLOCK, 0).error == 0);
    CHECK(ask(plan, "openat", Process::first, AT_FDCWD, "/", O_PATH).error == 0);
    CHECK(ask(plan, "openat", Process::first, AT_FDCWD, "/", O_RDONLY).error == EINTR);
}

TEST_CASE("an invalid rule is refused") {
    for (const char* wrong : {"read", "read=EINTR", "read=EWHAT%1", "read=EINTR%0", "read=EINTR%x",
                              "close=EINTR%1", "nothing=EINTR%1", "*=EDOM%1", "read=EINTR@kid1"})
        CHECK_THROWS_AS((void)Plan::parse(wrong), std::invalid_argument);
    auto plan = Plan::parse("");
    CHECK_THROWS_AS((void)ask(plan, "frobnicate", Process::first, 1), std::invalid_argument);
}

// Run this in a child, because a process reads the environment only once.
TEST_CASE("the call point does what the environment asks for, and leaves a mark") {
    std::string mark = (std::filesystem::temp_directory_path() / "ipcbox-test-XXXXXX").string();
    const int file = ::mkstemp(mark.data());
    REQUIRE(file >= 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::setenv("IPCBOX_FAULT", "read=EINTR@1,read=SHORT@2", 1);
        ::setenv("IPCBOX_FAULT_MARK", mark.c_str(), 1);
        char bytes[4]{};
        const int zeros = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
        const auto read = [&] {
            return call("read", ::read, zeros, static_cast<void*>(bytes), sizeof bytes);
        };
        const bool failed = read() == -1 && errno == EINTR;
        const bool good = failed && read() == 1 && read() == 4;
        ::_exit(good ? 0 : 1);
    }
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    std::array<char, 100> text{};
    CHECK(::read(file, text.data(), text.size() - 1) > 0);
    CHECK(std::string_view{text.data()} == "read: EINTR\nread: SHORT\n");
    ::close(file);
    ::unlink(mark.c_str());
}
