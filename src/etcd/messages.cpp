#include "etcd/messages.h"

#include "etcd/protobuf.h"

#include <algorithm>

namespace ipcbox::etcd {

namespace {

std::int64_t number_of(auto enumerator) {
    return static_cast<std::int64_t>(enumerator);
}

// Field 1 of every answer is a ResponseHeader.
constexpr unsigned header = 1;
Revision revision_of(std::string_view response_header) {
    return number_in(response_header, 3);
}

std::int64_t count_of(std::string_view delete_range_response) {
    return number_in(delete_range_response, 2);
}

// ResponseOp: a oneof of the answers to a range, a put and a removal.
Range::Answer decode_result(std::string_view message) {
    Range::Answer result;
    ProtobufReader reader{message};
    while (reader.next())
        reader.message(1, result, Range::Answer::decode).message(3, result.count, count_of);
    return result;
}

} // namespace

std::string end_of_prefix(std::string_view prefix) {
    std::string end{prefix};
    while (!end.empty() && end.back() == '\xff')
        end.pop_back();
    if (end.empty()) return std::string(1, '\0'); // all keys
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

KeyValue KeyValue::decode(std::string_view message) {
    KeyValue kv;
    ProtobufReader reader{message};
    while (reader.next())
        reader.text(1, kv.key)
            .number(2, kv.create_revision)
            .number(3, kv.mod_revision)
            .number(4, kv.version)
            .text(5, kv.value)
            .number(6, kv.lease);
    return kv;
}

std::string LeaseGrant::encode() const {
    return ProtobufWriter{}.number(1, ttl_s).number(2, id).bytes();
}

LeaseGrant::Answer LeaseGrant::Answer::decode(std::string_view message) {
    constexpr std::int64_t max_ttl_s = 1'000'000'000; // our durations are nanoseconds in 64 bits
    return {std::min(number_in(message, 3), max_ttl_s)};
}

std::string LeaseKeepAlive::encode() const {
    return ProtobufWriter{}.number(1, id).bytes();
}

LeaseKeepAlive::Answer LeaseKeepAlive::Answer::decode(std::string_view message) {
    return {LeaseGrant::Answer::decode(message).ttl_s}; // its fields are the same
}

std::string LeaseRevoke::encode() const {
    return ProtobufWriter{}.number(1, id).bytes();
}

LeaseRevoke::Answer LeaseRevoke::Answer::decode(std::string_view /*message*/) {
    return {};
}

std::string Range::encode() const {
    constexpr std::int64_t by_creation = 2;
    ProtobufWriter writer;
    writer.text(1, key).text(2, range_end).number(3, limit);
    if (order != Order::none) writer.number(5, number_of(order)).number(6, by_creation);
    return writer.number(8, keys_only ? 1 : 0).number(13, max_create_revision).bytes();
}

Range::Answer Range::Answer::decode(std::string_view message) {
    Answer answer;
    ProtobufReader reader{message};
    while (reader.next())
        reader.message(header, answer.revision, revision_of)
            .messages(2, answer.found, KeyValue::decode)
            .flag(3, answer.more)
            .number(4, answer.count);
    return answer;
}

std::string Compare::encode() const {
    constexpr unsigned value_field = 7;
    ProtobufWriter writer;
    writer.number(1, number_of(relation)).number(2, number_of(target)).text(3, key);
    switch (target) {
    case Target::version:
        writer.explicit_number(4, number);
        break;
    case Target::create_revision:
        writer.explicit_number(5, number);
        break;
    case Target::mod_revision:
        writer.explicit_number(6, number);
        break;
    case Target::value:
        writer.explicit_text(value_field, value);
        break;
    case Target::lease:
        writer.explicit_number(8, number);
        break;
    }
    return writer.text(64, range_end).bytes();
}

Operation Operation::get(Range range) {
    return {.kind = Kind::range, .range = std::move(range)};
}

Operation Operation::put(std::string key, std::string value, LeaseId lease) {
    return {Kind::put, {}, std::move(key), std::move(value), lease};
}

Operation Operation::remove(std::string key) {
    Operation operation{.kind = Kind::remove};
    operation.range.key = std::move(key);
    return operation;
}

std::string Operation::encode() const {
    ProtobufWriter inner;
    switch (kind) {
    case Kind::range:
        return ProtobufWriter{}.explicit_text(1, range.encode()).bytes();
    case Kind::put:
        inner.text(1, key).text(2, value).number(3, lease);
        return ProtobufWriter{}.explicit_text(2, inner.bytes()).bytes();
    case Kind::remove:
        inner.text(1, range.key).text(2, range.range_end);
        return ProtobufWriter{}.explicit_text(3, inner.bytes()).bytes();
    }
    return {};
}

std::string Transaction::encode() const {
    ProtobufWriter writer;
    for (const auto& compare : compares)
        writer.explicit_text(1, compare.encode());
    for (const auto& operation : success)
        writer.explicit_text(2, operation.encode());
    for (const auto& operation : failure)
        writer.explicit_text(3, operation.encode());
    return writer.bytes();
}

Transaction::Answer Transaction::Answer::decode(std::string_view message) {
    Answer answer;
    ProtobufReader reader{message};
    while (reader.next())
        reader.message(header, answer.revision, revision_of)
            .flag(2, answer.succeeded)
            .messages(3, answer.results, decode_result);
    return answer;
}

std::string Authenticate::encode() const {
    return ProtobufWriter{}.text(1, user).text(2, password).bytes();
}

Authenticate::Answer Authenticate::Answer::decode(std::string_view message) {
    Answer answer;
    ProtobufReader reader{message};
    while (reader.next())
        reader.text(2, answer.token);
    return answer;
}

std::string Watch::encode() const {
    constexpr std::string_view no_put{"\0", 1}; // a packed list of one value
    ProtobufWriter create;
    create.text(1, key).text(2, range_end);
    if (puts == Puts::left_out) create.explicit_text(5, no_put);
    return ProtobufWriter{}.explicit_text(1, create.bytes()).bytes();
}

Watch::Event Watch::Event::decode(std::string_view message) {
    bool is_deleted = false;
    Event event;
    ProtobufReader reader{message};
    while (reader.next())
        reader.flag(1, is_deleted).message(2, event.kv, KeyValue::decode);
    event.type = is_deleted ? Type::deleted : Type::put;
    return event;
}

Watch::Answer Watch::Answer::decode(std::string_view message) {
    Answer answer;
    ProtobufReader reader{message};
    while (reader.next())
        reader.message(header, answer.revision, revision_of)
            .flag(3, answer.created)
            .flag(4, answer.canceled)
            .number(5, answer.compact_revision)
            .text(6, answer.cancel_reason)
            .messages(11, answer.events, Event::decode);
    return answer;
}

} // namespace ipcbox::etcd
