#include "net/unix_socket_file.h"

#include "core/child.h"
#include "core/error.h"
#include "core/pipe.h"
#include "harness/scenario.h"
#include "net/listener.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ipcbox;
using test::Scenario;

namespace {

struct stat status_of(const std::string& path) {
    struct stat status {};
    CHECK(::lstat(path.c_str(), &status) == 0);
    return status;
}

mode_t mode_of(const std::string& path) {
    return status_of(path).st_mode & 07777;
}

std::string failure(const std::string& path) {
    try {
        (void)net::listen_unix(path);
    } catch (const Error& error) {
        return error.what();
    }
    return "no failure";
}

Fd bound(const std::string& path, int type = SOCK_STREAM) {
    Fd socket = Fd::adopt(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const auto address = net::Address::unix_path(path);
    REQUIRE(::bind(socket.get(), address.data(), address.size()) == 0);
    return socket;
}

// Leaves the file of a server that was killed.
void leave_dead_socket(const std::string& path) {
    const Fd socket = bound(path);
    REQUIRE(::listen(socket.get(), 1) == 0);
}

bool answers(const std::string& path) {
    const Fd socket = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = net::Address::unix_path(path);
    return ::connect(socket.get(), address.data(), address.size()) == 0;
}

net::UnixOptions with_mode(mode_t mode) {
    net::UnixOptions options;
    options.access.mode = mode;
    return options;
}

std::string ourselves() {
    return fmt::format("{} (", ::getpid());
}

} // namespace

TEST_CASE("the mode is as asked for, regardless of the umask") {
    const Scenario scenario;
    const auto path = scenario.path("socket");
    for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{0777}})
        for (const mode_t mode : {mode_t{0600}, mode_t{0666}, mode_t{0}}) {
            const mode_t before = ::umask(mask);
            const net::Listener listener = net::listen_unix(path, with_mode(mode));
            CHECK(mode_of(path) == mode);
            CHECK(::umask(before) == mask);
            CHECK(mode_of(path + ".lock") == (0600 & ~mask));
        }
}

TEST_CASE("between birth and use the file lets nobody in") {
    const Scenario scenario;
    const auto path = scenario.path("socket");
    net::UnixSocketFile file{path};
    const Fd socket = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    file.bind(socket, {0640, ::geteuid(), ::getegid()});
    CHECK(mode_of(path) == 0640);
    CHECK_FALSE(answers(path)); // the server does not listen yet
    if (::geteuid() != 0) {
        MESSAGE("not root: no owner can be set");
        return;
    }
    constexpr uid_t nobody = 65534;
    const auto other = scenario.path("other");
    net::UnixOptions options;
    options.access = {0660, nobody, nobody};
    const net::Listener listener = net::listen_unix(other, options);
    CHECK(status_of(other).st_uid == nobody);
    CHECK(status_of(other).st_gid == nobody);
    CHECK(mode_of(other) == 0660);
}

TEST_CASE("the socket of a dead server is taken over") {
    const Scenario scenario;
    const auto path = scenario.path("socket");
    leave_dead_socket(path);
    scenario.write_file("socket.lock", ""); // left by a server that was killed
    const net::Listener listener = net::listen_unix(path);
    CHECK(answers(path));
}

TEST_CASE("a server that lives is never displaced") {
    const Scenario scenario;
    const auto path = scenario.path("socket");
    const auto served = fmt::format("cannot listen on {}: it is served by {}", path, ourselves());

    SUBCASE("a server of ipcbox") {
        const net::Listener first = net::listen_unix(path);
        CHECK(failure(path).starts_with(served));
        CHECK(answers(path));
        CHECK(scenario.exists("socket.lock"));
    }
    SUBCASE("a server of another program, without a lock") {
        const Fd stranger = bound(path);
        REQUIRE(::listen(stranger.get(), 1) == 0);
        CHECK(failure(path).starts_with(served));
        CHECK(answers(path));
        CHECK_FALSE(scenario.exists("socket.lock"));
    }
    SUBCASE("a server whose queue is full") {
        const Fd stranger = bound(path);
        REQUIRE(::listen(stranger.get(), 0) == 0);
        const Fd client = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const auto address = net::Address::unix_path(path);
        REQUIRE(::connect(client.get(), address.data(), address.size()) == 0);
        CHECK(failure(path).starts_with(served));
        CHECK(scenario.exists("socket"));
    }
    SUBCASE("a server of another socket type") {
        const Fd stranger = bound(path, SOCK_DGRAM);
        CHECK(failure(path) ==
              fmt::format("cannot listen on {}: it is served by another process", path));
        CHECK(scenario.exists("socket"));
    }
    SUBCASE("a server that has the lock, but no socket yet") {
        const Fd lock = open_file(path + ".lock", O_RDWR | O_CREAT, 0600);
        REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
        CHECK(failure(path) ==
              fmt::format("cannot listen on {}: it is served by another process", path));
        CHECK(scenario.exists("socket.lock"));
    }
}

TEST_CASE("a file that is not a socket is never removed") {
    const Scenario scenario;
    const auto path = scenario.path("file");
    const auto reason = [&](std::string_view words) {
        return failure(path) == fmt::format("cannot listen on {}: {}", path, words);
    };
    SUBCASE("a regular file") {
        scenario.write_file("file", "precious");
        CHECK(reason("it is a regular file"));
        CHECK(scenario.read_file("file") == "precious");
    }
    SUBCASE("a directory") {
        REQUIRE(::mkdir(path.c_str(), 0700) == 0);
        CHECK(reason("it is a directory"));
        CHECK(failure(path + "/").ends_with("it is a directory"));
        CHECK(failure(path + "/..").ends_with("it is a directory"));
        CHECK(scenario.exists("file"));
    }
    SUBCASE("a symbolic link, also to a dead socket") {
        leave_dead_socket(scenario.path("dead"));
        REQUIRE(::symlink("dead", path.c_str()) == 0);
        CHECK(reason("it is a symbolic link"));
        CHECK(scenario.exists("dead"));
    }
    SUBCASE("a FIFO") {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        CHECK(reason("it is not a socket"));
        CHECK(scenario.exists("file"));
    }
    CHECK_FALSE(scenario.exists("file.lock"));
}

TEST_CASE("the lock is not followed elsewhere") {
    const Scenario scenario;
    scenario.write_file("precious", "text");
    REQUIRE(::symlink("precious", scenario.path("socket.lock").c_str()) == 0);
    CHECK(failure(scenario.path("socket")) ==
          fmt::format("cannot lock {}: Too many levels of symbolic links",
                      scenario.path("socket.lock")));
    CHECK(scenario.read_file("precious") == "text");
}

TEST_CASE("a missing or unsafe directory is an error") {
    const Scenario scenario;
    CHECK(failure(scenario.path("none/socket")) ==
          fmt::format("cannot listen on {}: its directory cannot be opened: No such file or "
                      "directory",
                      scenario.path("none/socket")));
    const auto open = scenario.path("open");
    REQUIRE(::mkdir(open.c_str(), 0700) == 0);
    REQUIRE(::chmod(open.c_str(), 0777) == 0);
    CHECK(failure(open + "/socket").find("no sticky") != std::string::npos);
    REQUIRE(::chmod(open.c_str(), 01777) == 0);
    CHECK(failure(open + "/socket") == "no failure");
}

TEST_CASE("only our own file is removed") {
    const Scenario scenario;
    const auto path = scenario.path("socket");
    {
        const net::Listener listener = net::listen_unix(path);
        REQUIRE(::rename(path.c_str(), scenario.path("moved").c_str()) == 0);
        leave_dead_socket(path);
    }
    CHECK(scenario.exists("socket"));
    CHECK(scenario.exists("moved"));
    CHECK_FALSE(scenario.exists("socket.lock"));
}

TEST_CASE("a name in the working directory is kept track of when we go elsewhere") {
    const Scenario scenario;
    auto listener = net::listen_unix("socket");
    REQUIRE(::chdir("/") == 0);
    listener.file->remove();
    REQUIRE(::chdir(scenario.path(".").c_str()) == 0);
    CHECK_FALSE(scenario.exists("socket"));
    CHECK_FALSE(scenario.exists("socket.lock"));
}

TEST_CASE("a forked child leaves the files alone") {
    const Scenario scenario;
    const auto path = scenario.path("socket");
    net::Listener listener = net::listen_unix(path);
    Child child = fork_child([&] {
        listener.file->release();
        listener.file.reset();
        return 0;
    });
    CHECK(child.wait().succeeded());
    CHECK(answers(path));
    CHECK(failure(path).find("it is served by") != std::string::npos); // it is locked as well
}

TEST_CASE("the object can be moved") {
    const Scenario scenario;
    net::UnixSocketFile first{scenario.path("first")};
    {
        net::UnixSocketFile second{scenario.path("second")};
        first = std::move(second);
        CHECK(scenario.exists("second.lock"));
    }
    CHECK_FALSE(scenario.exists("first.lock"));
    CHECK(scenario.exists("second.lock"));
}

TEST_CASE("the file is handed over to the program that we become") {
    const Scenario scenario;
    const auto path = scenario.path("a socket");
    std::string state;
    {
        net::Listener listener = net::listen_unix(path);
        listener.file->keep_across_exec();
        state = listener.file->state();
        // As after execve(2): the descriptors stay, but their owners are gone.
        const int lock = std::stoi(state);
        const int directory = std::stoi(state.substr(state.find(' ')));
        CHECK((::fcntl(lock, F_GETFD) & FD_CLOEXEC) == 0);
        CHECK((::fcntl(directory, F_GETFD) & FD_CLOEXEC) == 0);
        listener.file->close_on_exec();
        CHECK((::fcntl(lock, F_GETFD) & FD_CLOEXEC) != 0);
        const int spare_lock = ::fcntl(lock, F_DUPFD, 3);
        const int spare_directory = ::fcntl(directory, F_DUPFD, 3);
        listener.file->release();
        REQUIRE(::dup2(spare_lock, lock) == lock);
        REQUIRE(::dup2(spare_directory, directory) == directory);
        ::close(spare_lock);
        ::close(spare_directory);
    }
    CHECK(scenario.exists("a socket"));
    {
        const auto resumed = net::UnixSocketFile::resume(state);
        CHECK((::fcntl(std::stoi(state), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK(resumed.state() == state);
        CHECK(failure(path).find("it is served by") != std::string::npos);
    }
    CHECK_FALSE(scenario.exists("a socket"));
    CHECK_FALSE(scenario.exists("a socket.lock"));
    for (const char* wrong : {"", "1", "5 6 7 8 ", "x 6 7 8 path", "5 6 7 path"})
        CHECK_THROWS_AS((void)net::UnixSocketFile::resume(wrong), Error);
}

TEST_CASE("of many servers that start at once, one serves") {
    const Scenario scenario;
    const auto path = scenario.path("socket");
    leave_dead_socket(path);
    Pipe start = make_pipe();
    Pipe stop = make_pipe();
    std::vector<Child> children;
    for (int count = 0; count < 8; ++count)
        children.push_back(fork_child([&] {
            char byte = 0;
            stop.writer = Fd{};
            start.writer = Fd{};
            (void)!::read(start.reader.get(), &byte, 1);
            try {
                const net::Listener listener = net::listen_unix(path);
                (void)!::read(stop.reader.get(), &byte, 1);
                return 0;
            } catch (const Error&) {
                return 1;
            }
        }));
    start.writer = Fd{};
    const auto losers = [&] {
        int ended = 0;
        for (auto& child : children) {
            siginfo_t info{};
            ::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOHANG | WNOWAIT);
            ended += info.si_pid != 0 ? 1 : 0;
        }
        return ended;
    };
    CHECK(test::eventually([&] { return losers() == 7; }));
    // The others lose as soon as it has the lock, which is before it listens.
    CHECK(test::eventually([&] { return answers(path); }));
    stop.writer = Fd{};
    int served = 0;
    for (auto& child : children)
        served += child.wait().succeeded() ? 1 : 0;
    CHECK(served == 1);
}
