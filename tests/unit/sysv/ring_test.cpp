#include "core/child.h"
#include "harness/scenario.h"
#include "sysv/ring.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace std::chrono_literals;
using test::Scenario;

namespace {

constexpr std::uint64_t max_slots_filled = sysv::ShmRing::slots;

// Sends COUNT slots, each filled with its number.
void send(sysv::ShmRingWriter& writer, std::uint64_t count) {
    for (std::uint64_t number = 0; number < count; ++number) {
        const auto slot = writer.next_slot(Deadline::after(20s));
        std::memcpy(slot.data(), &number, sizeof number);
        writer.publish(sizeof number);
    }
    writer.finish(Deadline::after(20s));
}

Child forked(const std::function<void()>& body) {
    return fork_child([&] {
        try {
            body();
            return 0;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what()); // fork_child() would not show it
            return 1;
        }
    });
}

} // namespace

TEST_CASE("every slot arrives once, in order, many times around the ring") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    constexpr std::uint64_t count = 10'000;
    Child child = forked([&] {
        sysv::ShmRingWriter writer{key};
        send(writer, count);
    });
    sysv::ShmRingReader reader{key};
    for (std::uint64_t number = 0; number < count; ++number) {
        const auto slot = reader.next(Deadline::after(20s));
        REQUIRE(slot.size() == sizeof number);
        REQUIRE(std::memcmp(slot.data(), &number, sizeof number) == 0);
    }
    CHECK(reader.next(Deadline::after(20s)).empty());
    CHECK(child.wait().succeeded());
    CHECK_FALSE(sysv::SemaphoreSet::find(key));
    CHECK_FALSE(sysv::SharedMemory::find(key));
}

TEST_CASE("a writer without a reader fills the ring and no more") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    {
        sysv::ShmRingWriter writer{key};
        for (std::uint64_t number = 0; number < max_slots_filled; ++number) {
            CHECK(writer.next_slot(Deadline::after(0s)).size() == sysv::ShmRing::slot_size);
            writer.publish(sysv::ShmRing::slot_size);
        }
        CHECK_THROWS_AS((void)writer.next_slot(Deadline::after(1ms)), TimedOut);
    }
    CHECK_FALSE(sysv::SharedMemory::find(key));
}

TEST_CASE("the survivor learns of a death at any point, and removes the ring") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    for (std::uint64_t after = 0; after < 2 * max_slots_filled; ++after) {
        CAPTURE(after);
        Child child;
        {
            // Make the reader first. If a writer dies before a reader has come, nobody loses
            // anything, and the ring is simply used again.
            sysv::ShmRingReader reader{key};
            child = forked([&] {
                sysv::ShmRingWriter writer{key};
                for (std::uint64_t number = 0; number < after; ++number) {
                    (void)writer.next_slot(Deadline::after(20s));
                    writer.publish(1);
                }
                ::raise(SIGKILL);
            });
            const auto read_all = [&] {
                while (!reader.next(Deadline::after(20s)).empty())
                    ;
            };
            CHECK_THROWS_WITH_AS(read_all(), ("the writer of " + scenario.key() + " died").c_str(),
                                 Error);
        }
        child.wait();
        CHECK_FALSE(sysv::SharedMemory::find(key));
    }
    for (std::uint64_t after = 0; after < 2 * max_slots_filled; ++after) {
        CAPTURE(after);
        Child child;
        {
            sysv::ShmRingWriter writer{key};
            child = forked([&] {
                sysv::ShmRingReader reader{key};
                for (std::uint64_t number = 0; number < after; ++number)
                    (void)reader.next(Deadline::after(20s));
                ::raise(SIGKILL);
            });
            CHECK_THROWS_WITH_AS(send(writer, 3 * max_slots_filled),
                                 ("the reader of " + scenario.key() + " died").c_str(), Error);
        }
        child.wait();
        CHECK_FALSE(sysv::SharedMemory::find(key));
    }
}

TEST_CASE("of many pairs that begin at once under one key, each stream is whole or refused") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    for (int round = 0; round < 50; ++round) {
        Child writer_child = forked([&] {
            sysv::ShmRingWriter writer{key};
            send(writer, 3);
        });
        Child reader_child = forked([&] {
            sysv::ShmRingReader reader{key};
            for (int slot = 0; slot < 3; ++slot)
                if (reader.next(Deadline::after(20s)).empty()) throw Error("too short");
            if (!reader.next(Deadline::after(20s)).empty()) throw Error("too long");
        });
        CHECK(writer_child.wait().succeeded());
        CHECK(reader_child.wait().succeeded());
    }
    CHECK_FALSE(sysv::SharedMemory::find(key));
}

TEST_CASE("a key that is used for something else is left alone") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    auto memory = sysv::SharedMemory::create(key, 100, 0600, sysv::SharedMemory::Pages::normal);
    REQUIRE(memory);
    CHECK_THROWS_AS(sysv::ShmRingWriter{key}, Error);
    CHECK(sysv::SharedMemory::open(key).size() == 100);
}
