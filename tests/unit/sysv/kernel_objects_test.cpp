#include "sysv/kernel_objects.h"

#include "harness/scenario.h"
#include "sysv/key.h"
#include "sysv/shared_memory.h"
#include "sysv/token_set.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/msg.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using sysv::Kind;

namespace {

const sysv::Object* find_in(const std::vector<sysv::Object>& objects, int id) {
    const auto found = std::ranges::find(objects, id, &sysv::Object::id);
    return found == objects.end() ? nullptr : &*found;
}

} // namespace

TEST_CASE("a set is listed, found by its id and its key, and removed") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    const auto set = sysv::TokenSet::create(key, 1, 0640);
    const auto all = sysv::all_objects(Kind::semaphores);
    const auto* listed = find_in(all, set.id());
    REQUIRE(listed != nullptr);
    CHECK(listed->key == key.value());
    CHECK(listed->mode == 0640);
    CHECK(listed->owner == ::geteuid());
    CHECK(listed->size == 1);
    CHECK(listed->changed > 0);
    CHECK(listed->used == 0);
    CHECK(listed->handle() == fmt::format("sem:{}", set.id()));
    CHECK(sysv::find_id(Kind::semaphores, key.value()) == set.id());
    REQUIRE(sysv::find_object(Kind::semaphores, set.id()));
    CHECK(sysv::remove_object(Kind::semaphores, set.id()));
    CHECK_FALSE(sysv::remove_object(Kind::semaphores, set.id()));
    CHECK_FALSE(sysv::find_object(Kind::semaphores, set.id()));
    CHECK_FALSE(sysv::find_id(Kind::semaphores, key.value()));
}

TEST_CASE("a segment knows its size, its creator and how often it is attached") {
    const auto memory = sysv::SharedMemory::create_private(10'000, 0600);
    {
        const auto attached = memory.attach(sysv::SharedMemory::Access::read);
        memory.remove();
        const auto all = sysv::all_objects(Kind::memory);
        const auto* listed = find_in(all, memory.id());
        REQUIRE(listed != nullptr);
        CHECK(listed->size == 10'000);
        CHECK(listed->count == 1);
        CHECK(listed->creator == ::getpid());
        CHECK(listed->is_doomed);
        CHECK(listed->key_text() == "private");
    }
    CHECK_FALSE(sysv::find_object(Kind::memory, memory.id()));
}

TEST_CASE("a queue knows its messages and the last process that sent one") {
    const int id = ::msgget(IPC_PRIVATE, 0600);
    REQUIRE(id >= 0);
    struct {
        long type = 1;
        char text[3] = {'a', 'b', 'c'};
    } message;
    REQUIRE(::msgsnd(id, &message, sizeof(message.text), 0) == 0);
    const auto queue = sysv::find_object(Kind::messages, id);
    REQUIRE(queue);
    CHECK(queue->count == 1);
    CHECK(queue->size == 3);
    CHECK(queue->last == ::getpid());
    CHECK(queue->last_receiver == 0);
    const auto all = sysv::all_objects(Kind::messages);
    CHECK(find_in(all, id) != nullptr);
    CHECK(sysv::remove_object(Kind::messages, id));
}
