// The answers of etcd, the messages of a stream, the entry of another host in a queue, and the
// words in which we report a server's error.
#include "cluster/token_entry.h"
#include "etcd/grpc_stream.h"
#include "etcd/messages.h"
#include "etcd/protobuf.h"
#include "etcd/status.h"
#include "require.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace ipcbox;
using namespace ipcbox::cluster;

namespace {

template <class Answer> void decode(std::string_view bytes) {
    try {
        (void)Answer::decode(bytes);
    } catch (const etcd::MalformedMessage&) { // NOLINT(bugprone-empty-catch): one of two outcomes
    }
}

// Writing the fields that we read gives the same message again, except for the fixed ones.
void check_rewritten(std::string_view bytes) {
    std::string rewritten;
    std::size_t fields = 0;
    try {
        etcd::ProtobufReader reader{bytes};
        while (reader.next()) {
            etcd::ProtobufWriter writer;
            try {
                writer.explicit_number(reader.field(), reader.number());
            } catch (const etcd::MalformedMessage&) {
                writer.explicit_text(reader.field(), reader.text());
            }
            rewritten += writer.bytes();
            ++fields;
        }
    } catch (const etcd::MalformedMessage&) {
        return;
    }
    etcd::ProtobufReader again{rewritten};
    while (again.next())
        --fields;
    require(fields == 0);
    require(rewritten.size() <= bytes.size()); // a varint can be longer than necessary
}

// The messages on a gRPC stream whose bytes come SIZE at a time.
std::vector<std::string> messages_in(std::string_view bytes, std::size_t size) {
    std::vector<std::string> messages;
    etcd::GrpcStream stream;
    stream.take_header(":status", "200");
    stream.take_header("content-type", "application/grpc");
    while (!bytes.empty()) {
        stream.take_data(bytes.substr(0, size));
        bytes.remove_prefix(std::min(size, bytes.size()));
        while (auto message = stream.next_message())
            messages.push_back(*std::move(message));
    }
    return messages;
}

void check_printable(std::string_view words) {
    for (const char byte : words)
        require(static_cast<unsigned char>(byte) >= ' ');
}

void check_entry(std::string_view text) {
    const auto entry = TokenEntry::parse(text);
    if (!entry) return;
    const auto again = TokenEntry::parse(entry->json());
    require(again && again->json() == entry->json());
    check_printable(entry->json());
    check_printable(entry->text({}));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size}; // NOLINT
    check_rewritten(bytes);
    decode<etcd::KeyValue>(bytes);
    decode<etcd::LeaseGrant::Answer>(bytes);
    decode<etcd::Range::Answer>(bytes);
    decode<etcd::Transaction::Answer>(bytes);
    decode<etcd::Watch::Answer>(bytes);
    decode<etcd::Authenticate::Answer>(bytes);
    require(messages_in(bytes, bytes.size()) == messages_in(bytes, 1));
    if (!bytes.empty()) (void)etcd::what_is_wrong_with(bytes);
    const etcd::GrpcStatus status{static_cast<etcd::GrpcCode>(size % 17), std::string{bytes},
                                  false};
    check_printable(etcd::error_for(status, "ci").what());
    check_entry(bytes);
    return 0;
}
