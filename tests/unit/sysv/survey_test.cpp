#include "sysv/survey.h"

#include "token_holders.h"

#include "sysv/shared_memory.h"

#include <sys/msg.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using sysv::Kind;
using sysv::Use;
using Does = sysv::User::Does;

namespace {

sysv::Entry look_at(Kind kind, int id, sysv::KnownNames names = {}) {
    const auto object = sysv::find_object(kind, id);
    REQUIRE(object);
    const auto entries = sysv::Survey{std::move(names)}.look_at({*object});
    REQUIRE(entries.size() == 1);
    return entries[0];
}

} // namespace

TEST_CASE("a set under a name shows its name, its tokens and their holders") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    const auto set = sysv::TokenSet::create(key, 3, modes);
    const auto free = look_at(Kind::semaphores, set.id());
    CHECK(free.name == scenario.name());
    CHECK(free.slots == 3);
    CHECK(free.taken == 0);
    CHECK(free.use == Use::free);
    CHECK(free.creator == sysv::Presence::alive);
    CHECK(free.creator_pid == ::getpid());
    CHECK_FALSE(free.is_orphan());
    const auto holder = start_holder(key, sysv::Lease::until_process_ends);
    const auto used = look_at(Kind::semaphores, set.id());
    CHECK(used.use == Use::used);
    CHECK(used.why == "1 of 3 tokens are taken");
    REQUIRE(used.users.size() == 1);
    CHECK(used.users[0].does == Does::holds);
    CHECK(used.users[0].pid == holder.pid());
    CHECK(used.users[0].process);
}

TEST_CASE("a set under a number has no name") {
    const Scenario scenario;
    const auto set = sysv::TokenSet::create(sysv::Key::parse(scenario.key()), 4, modes);
    const auto entry = look_at(Kind::semaphores, set.id());
    CHECK(entry.name.empty());
    CHECK(entry.slots == 4);
}

TEST_CASE("a segment is named only by a name that somebody knows, and its label is not counted") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    const auto memory =
        sysv::SharedMemory::create(key, 4096, 0600, sysv::SharedMemory::Pages::normal);
    REQUIRE(memory);
    sysv::KnownNames names;
    names.add(scenario.name());
    const auto entry = look_at(Kind::memory, memory->id(), names);
    CHECK(entry.name == scenario.name());
    CHECK(entry.bytes == 4096);
    CHECK(entry.object.size > 4096);
    CHECK(entry.use == Use::free);
    const auto attached = memory->attach(sysv::SharedMemory::Access::read);
    const auto used = look_at(Kind::memory, memory->id());
    CHECK(used.use == Use::used);
    CHECK(used.unknown_users == 0);
    REQUIRE(used.users.size() == 1);
    CHECK(used.users[0].pid == ::getpid());
}

TEST_CASE("a queue that a living process used is in use") {
    const int id = ::msgget(IPC_PRIVATE, 0600);
    REQUIRE(id >= 0);
    const struct { long type = 1; } message;
    REQUIRE(::msgsnd(id, &message, 0, 0) == 0);
    const auto entry = look_at(Kind::messages, id);
    CHECK(entry.use == Use::used);
    CHECK(entry.creator == sysv::Presence::alive);
    CHECK(sysv::remove_object(Kind::messages, id));
}

TEST_CASE("an object that is gone by then is left out") {
    const Scenario scenario;
    const auto set = sysv::TokenSet::create(sysv::Key::parse(scenario.key()), 1, modes);
    const auto object = sysv::find_object(Kind::semaphores, set.id());
    REQUIRE(object);
    REQUIRE(sysv::remove_object(Kind::semaphores, set.id()));
    CHECK(sysv::Survey{}.look_at({*object}).empty());
}
