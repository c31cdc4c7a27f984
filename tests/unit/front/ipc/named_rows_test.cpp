#include "front/ipc/named_rows.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using sysv::NamedObject;
using Does = sysv::NamedUser::Does;

TEST_CASE("each kind shows its state") {
    NamedObject object{NamedObject::Kind::semaphore};
    CHECK(front::state_text(object) == "unknown");
    object.value = 0;
    object.waiting = 2;
    CHECK(front::state_text(object) == "value 0, 2 waiting");
    object.kind = NamedObject::Kind::memory;
    object.size = 8192;
    CHECK(front::state_text(object) == "8K");
    object.kind = NamedObject::Kind::queue;
    object.size = 1;
    CHECK(front::state_text(object) == "1 byte");
    object.kind = NamedObject::Kind::fifo;
    object.users = {{Does::reads, 8, {}}, {Does::reads, 9, {}}, {Does::writes, 8, {}}};
    CHECK(front::state_text(object) == "2 reading, 1 writing");
    CHECK(front::users_text(object) == "read by 8, 9; written by 8; others unknown");
    object.may_have_more = false;
    CHECK(front::users_text(object) == "read by 8, 9; written by 8");
}

TEST_CASE("users that nobody can see are unknown, never nobody") {
    NamedObject object;
    CHECK(front::users_text(object) == "unknown");
    object.may_have_more = false;
    CHECK(front::users_text(object) == "nobody");
}
