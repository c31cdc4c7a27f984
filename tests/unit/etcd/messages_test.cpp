#include "etcd/messages.h"
#include "etcd/protobuf.h"

#include <doctest/doctest.h>

using namespace ipcbox::etcd;
using namespace std::string_view_literals;

TEST_CASE("requests have the bytes that etcdctl sends") {
    CHECK(LeaseGrant{15, 7}.encode() == "\x08\x0f\x10\x07"sv);
    CHECK(LeaseKeepAlive{7}.encode() == "\x08\x07"sv);
    CHECK(Range{"k", "l", 5, Range::Order::ascending, true}.encode() ==
          "\x0a\x01k\x12\x01l\x18\x05\x28\x01\x30\x02\x40\x01"sv);
    CHECK(Watch{"k", "", Watch::Puts::left_out}.encode() == "\x0a\x06\x0a\x01k\x2a\x01\0"sv);
    CHECK(Authenticate{"a", "b"}.encode() == "\x0a\x01"
                                             "a\x12\x01"
                                             "b"sv);
}

TEST_CASE("a transaction says every comparison in full") {
    const Transaction transaction{
        {{"k", Compare::Target::create_revision, Compare::Relation::equal, 0},
         {"k", Compare::Target::value, Compare::Relation::not_equal, 0, "v"}},
        {Operation::put("k", "v", 7)},
        {Operation::remove("k")}};
    CHECK(transaction.encode() == "\x0a\x07\x10\x01\x1a\x01k\x28\0"
                                  "\x0a\x0a\x08\x03\x10\x03\x1a\x01k\x3a\x01v"
                                  "\x12\x0a\x12\x08\x0a\x01k\x12\x01v\x18\x07"
                                  "\x1a\x05\x1a\x03\x0a\x01k"sv);
}

TEST_CASE("the end of a prefix is the first key after all that begin with it") {
    CHECK(end_of_prefix("a/") == "a0");
    CHECK(end_of_prefix("a\xff\xff") == "b");
    CHECK(end_of_prefix("\xff") == "\0"sv);
    CHECK(end_of_prefix("") == "\0"sv);
}

TEST_CASE("an answer is read field by field, and unknown fields do no harm") {
    const auto header = ProtobufWriter{}.number(1, 1).number(3, 42).number(4, 2).bytes();
    const auto kv = ProtobufWriter{}
                        .text(1, "k")
                        .number(2, 40)
                        .number(3, 41)
                        .number(4, 2)
                        .text(5, "v")
                        .number(6, 7)
                        .text(99, "new")
                        .bytes();
    const auto range = ProtobufWriter{}.text(2, kv).number(3, 1).number(4, 5).bytes();
    const auto answer = Transaction::Answer::decode(
        ProtobufWriter{}
            .text(1, header)
            .number(2, 1)
            .text(3, ProtobufWriter{}.text(1, range).bytes())
            .text(3, ProtobufWriter{}.explicit_text(2, "").bytes())
            .text(3, ProtobufWriter{}.text(3, ProtobufWriter{}.number(2, 9).bytes()).bytes())
            .bytes());
    CHECK(answer.revision == 42);
    CHECK(answer.succeeded);
    REQUIRE(answer.results.size() == 3);
    CHECK(answer.results[0].more);
    CHECK(answer.results[0].count == 5);
    const auto& found = answer.results[0].found.at(0);
    CHECK(found.key == "k");
    CHECK(found.create_revision == 40);
    CHECK(found.mod_revision == 41);
    CHECK(found.version == 2);
    CHECK(found.value == "v");
    CHECK(found.lease == 7);
    CHECK(answer.results[1].found.empty());
    CHECK(answer.results[2].count == 9);
}

TEST_CASE("a watch's answer tells creation, events and the end") {
    const auto kv = ProtobufWriter{}.text(1, "k").number(3, 41).bytes();
    const auto answer =
        Watch::Answer::decode(ProtobufWriter{}
                                  .number(3, 1)
                                  .number(4, 1)
                                  .number(5, 11)
                                  .text(6, "why")
                                  .text(11, ProtobufWriter{}.number(1, 1).text(2, kv).bytes())
                                  .text(11, ProtobufWriter{}.text(2, kv).bytes())
                                  .bytes());
    CHECK(answer.created);
    CHECK(answer.canceled);
    CHECK(answer.compact_revision == 11);
    CHECK(answer.cancel_reason == "why");
    REQUIRE(answer.events.size() == 2);
    CHECK(answer.events[0].type == Watch::Event::Type::deleted);
    CHECK(answer.events[0].kv.mod_revision == 41);
    CHECK(answer.events[1].type == Watch::Event::Type::put);
}
