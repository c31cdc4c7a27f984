#include "sysv/object_name.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox;
using sysv::Kind;
using sysv::ObjectName;

namespace {

sysv::Object object(Kind kind, int id, key_t key) {
    sysv::Object object;
    object.kind = kind;
    object.id = id;
    object.key = key;
    return object;
}

} // namespace

TEST_CASE("a number means a key or an id, and sem:ID exactly one object") {
    const auto number = ObjectName::parse("12");
    CHECK(number.may_mean(object(Kind::semaphores, 12, 5)));
    CHECK(number.may_mean(object(Kind::memory, 5, 12)));
    CHECK_FALSE(number.may_mean(object(Kind::memory, 5, 6)));
    const auto exact = ObjectName::parse("shm:12");
    CHECK(exact.may_mean(object(Kind::memory, 12, 0)));
    CHECK_FALSE(exact.may_mean(object(Kind::semaphores, 12, 0)));
    CHECK_FALSE(exact.may_mean(object(Kind::memory, 5, 12)));
    CHECK(ObjectName::parse("0x4d2").may_mean(object(Kind::messages, 1, 1234)));
    CHECK_FALSE(ObjectName::parse("0x4d2").may_mean(object(Kind::messages, 1234, 1)));
}

TEST_CASE("0 is an id and never the private key") {
    const auto zero = ObjectName::parse("0");
    CHECK(zero.may_mean(object(Kind::memory, 0, 7)));
    CHECK_FALSE(zero.may_mean(object(Kind::memory, 3, 0)));
}

TEST_CASE("a name means an object only when the label proved it") {
    const auto name = ObjectName::parse("@build");
    sysv::Entry entry{object(Kind::semaphores, 3, sysv::Key::parse("@build").value())};
    CHECK(name.may_mean(entry.object));
    CHECK_FALSE(name.means(entry));
    entry.name = "@build";
    CHECK(name.means(entry));
}

TEST_CASE("a text that names nothing is refused") {
    for (const char* text : {"sem:", "sem:x", "shm:-1", "-1", "010", "x", "@", ""})
        CHECK_THROWS_AS((void)ObjectName::parse(text), std::invalid_argument);
}
