#include "sysv/named_objects.h"

#include "core/fd.h"
#include "core/fifo.h"
#include "harness/scenario.h"

#include <algorithm>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using sysv::NamedObject;
using Does = sysv::NamedUser::Does;

TEST_CASE("a semaphore, a queue and a descriptor tell their state in their files") {
    std::string bytes(32, '\0');
    bytes[0] = 3;
    bytes[4] = 2;
    const auto semaphore = sysv::parse_semaphore_file(bytes);
    REQUIRE(semaphore);
    CHECK(semaphore->value == 3);
    CHECK(semaphore->waiting == 2);
    CHECK_FALSE(sysv::parse_semaphore_file("short"));
    CHECK(sysv::parse_queue_file("QSIZE:129        NOTIFY:0     SIGNO:0     NOTIFY_PID:0\n") ==
          129);
    CHECK_FALSE(sysv::parse_queue_file(""));
    CHECK_FALSE(sysv::parse_queue_file("QSIZE:x"));
    CHECK(sysv::parse_open_mode("pos:\t0\nflags:\t0100001\nmnt_id:\t9\n") == O_WRONLY);
    CHECK(sysv::parse_open_mode("pos:\t0\nflags:\t0100000\n") == O_RDONLY);
    CHECK_FALSE(sysv::parse_open_mode("pos:\t0\n"));
}

TEST_CASE("files are memory and semaphores, with the processes that map them") {
    Scenario scenario;
    scenario.write_file("build", "four");
    scenario.write_file("sem.lock", std::string("\1", 1) + std::string(31, '\0'));
    REQUIRE(::mkdir(scenario.path("directory").c_str(), 0700) == 0);
    const Fd file = open_file(scenario.path("build"), O_RDWR);
    void* const mapped = ::mmap(nullptr, 4, PROT_READ, MAP_SHARED, file.get(), 0);
    REQUIRE(mapped != MAP_FAILED);
    auto objects = sysv::memory_files(scenario.path(""));
    sysv::add_users(objects);
    ::munmap(mapped, 4);
    REQUIRE(objects.size() == 2);
    CHECK(objects[0].kind == NamedObject::Kind::memory);
    CHECK(objects[0].name == "/build");
    CHECK(objects[0].size == 4);
    CHECK(objects[0].owner == ::geteuid());
    REQUIRE(objects[0].users.size() == 1);
    CHECK(objects[0].users[0].pid == ::getpid());
    CHECK(objects[0].users[0].does == Does::maps);
    CHECK(objects[1].kind == NamedObject::Kind::semaphore);
    CHECK(objects[1].name == "/lock");
    CHECK(objects[1].value == 1U);
    CHECK(objects[1].users.empty());
    CHECK(sysv::memory_files(scenario.path("none")).empty());
}

TEST_CASE("a FIFO that is open is found, with its readers and writers") {
    Scenario scenario;
    const auto path = scenario.path("fifo");
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const auto find = [&] {
        const auto fifos = sysv::open_fifos();
        const auto found = std::ranges::find(fifos, path, &NamedObject::name);
        return found == fifos.end() ? std::nullopt : std::optional{*found};
    };
    CHECK_FALSE(find());
    const Fd reader = open_file(path, O_RDONLY | O_NONBLOCK);
    const auto fifo = find();
    REQUIRE(fifo);
    REQUIRE(fifo->users.size() == 1);
    CHECK(fifo->users[0].does == Does::reads);
    CHECK(fifo->users[0].pid == ::getpid());
    const Fd writer = open_file(path, O_WRONLY | O_NONBLOCK);
    CHECK(find()->users.size() == 2);
}

TEST_CASE("without the file system of queues nobody can tell") {
    Scenario scenario;
    CHECK_FALSE(sysv::message_queues(scenario.path("")));
    CHECK_FALSE(sysv::message_queues(scenario.path("none")));
}
