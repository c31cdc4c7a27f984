#include "sysv/entry.h"

#include <doctest/doctest.h>
#include <utility>

using namespace ipcbox;

namespace {

using sysv::Entry;
using sysv::Kind;
using sysv::Presence;
using sysv::Use;

Entry entry(Kind kind) {
    Entry made;
    made.object.kind = kind;
    return made;
}

std::pair<Use, std::string> verdict(Entry one) {
    sysv::judge(one);
    return {one.use, one.why};
}

} // namespace

TEST_CASE("a set of tokens is in use while a token is taken or a process waits") {
    auto set = entry(Kind::semaphores);
    set.slots = 4;
    CHECK(verdict(set) == std::pair{Use::free, std::string{}});
    set.waiting = 1;
    CHECK(verdict(set) == std::pair{Use::used, std::string{"1 process waits for it"}});
    set.waiting = 2;
    CHECK(verdict(set) == std::pair{Use::used, std::string{"2 processes wait for it"}});
    set.taken = 2;
    CHECK(verdict(set) == std::pair{Use::used, std::string{"2 of 4 tokens are taken"}});
    set.slots = 1;
    set.taken = 1;
    CHECK(verdict(set) == std::pair{Use::used, std::string{"its token is taken"}});
}

TEST_CASE("a set that we may not read may be in use") {
    auto set = entry(Kind::semaphores);
    set.is_readable = false;
    CHECK(verdict(set).first == Use::unknown);
}

TEST_CASE("a segment is in use while it is attached") {
    auto segment = entry(Kind::memory);
    segment.creator = Presence::alive;
    CHECK(verdict(segment).first == Use::free);
    segment.object.count = 3;
    CHECK(verdict(segment) == std::pair{Use::used, std::string{"3 processes are attached"}});
}

TEST_CASE("a queue and a stranger's set are judged by the processes that used them") {
    for (const auto kind : {Kind::messages, Kind::semaphores}) {
        auto object = entry(kind);
        CHECK(verdict(object).first == Use::free);
        object.object.used = 1;
        CHECK(verdict(object).first == Use::unknown);
        object.creator = Presence::gone;
        CHECK(verdict(object).first == Use::free);
        object.creator = Presence::alive;
        CHECK(verdict(object) ==
              std::pair{Use::used, std::string{"a process that used it is alive"}});
    }
    auto queue = entry(Kind::messages);
    queue.creator = Presence::gone;
    queue.may_have_more = true;
    CHECK(verdict(queue) == std::pair{Use::unknown, std::string{"not all processes can be seen"}});
}

TEST_CASE("an orphan is free, and its creator is gone") {
    auto segment = entry(Kind::memory);
    segment.creator = Presence::gone;
    sysv::judge(segment);
    CHECK(segment.is_orphan());
    segment.object.count = 1;
    sysv::judge(segment);
    CHECK_FALSE(segment.is_orphan());
}
