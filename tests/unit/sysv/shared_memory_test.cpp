#include "core/child.h"
#include "core/error.h"
#include "harness/scenario.h"
#include "sysv/shared_memory.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace ipcbox;
using test::Scenario;

TEST_CASE("a segment is found by its key and its id, and is zero") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    CHECK_FALSE(sysv::SharedMemory::find(key));
    CHECK_THROWS_AS((void)sysv::SharedMemory::open(key), Error);
    const auto made =
        sysv::SharedMemory::create(key, 5000, 0600, sysv::SharedMemory::Pages::normal);
    REQUIRE(made);
    CHECK_FALSE(sysv::SharedMemory::create(key, 5000, 0600, sysv::SharedMemory::Pages::normal));
    CHECK(sysv::SharedMemory::open(key).size() == 5000);
    CHECK(sysv::SharedMemory::with_id(made->id()).size() == 5000);
    const auto attached = made->attach(sysv::SharedMemory::Access::read_write);
    CHECK(attached.bytes().size() == 5000);
    CHECK(
        std::ranges::all_of(attached.bytes(), [](std::byte byte) { return byte == std::byte{}; }));
    CHECK(attached.from(4999).size() == 1);
    CHECK(attached.from(5000).empty());
    CHECK_THROWS_AS((void)attached.from(5001), Error);
}

TEST_CASE("a name's label is not part of the segment") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    REQUIRE(sysv::SharedMemory::create(key, 4096, 0640, sysv::SharedMemory::Pages::normal));
    const auto found = sysv::SharedMemory::open(key);
    CHECK(found.size() == 4096);
    std::ranges::fill(found.attach(sysv::SharedMemory::Access::read_write).bytes(),
                      std::byte{0xff});
    CHECK(sysv::SharedMemory::open(key).size() == 4096);
}

TEST_CASE("of many makers of one name, one makes it and the others find it with its label") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    for (int round = 0; round < 20; ++round) {
        std::vector<Child> children;
        for (int child = 0; child < 6; ++child)
            children.push_back(fork_child([&] {
                const auto made =
                    sysv::SharedMemory::create(key, 64, 0600, sysv::SharedMemory::Pages::normal);
                return sysv::SharedMemory::open(key).size() != 64 ? 2 : made ? 1 : 0;
            }));
        int makers = 0;
        for (auto& child : children) {
            const int status = child.wait().as_exit_status();
            CHECK(status < 2);
            makers += status;
        }
        CHECK(makers == 1);
        sysv::SharedMemory::open(key).remove();
    }
}

TEST_CASE("a removed segment lives as long as somebody is attached") {
    const auto memory = sysv::SharedMemory::create_private(100, 0600);
    {
        const auto attached = memory.attach(sysv::SharedMemory::Access::read_write);
        memory.remove();
        attached.bytes().front() = std::byte{1};
        const auto again =
            sysv::SharedMemory::with_id(memory.id()).attach(sysv::SharedMemory::Access::read);
        CHECK(again.bytes().front() == std::byte{1});
    }
    CHECK_THROWS_AS((void)memory.attach(sysv::SharedMemory::Access::read), Error);
}
