// A gRPC connection whose server sends anything: HTTP/2 frames, compressed headers, trailers.
#include "core/error.h"
#include "etcd/grpc_session.h"
#include "require.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

using namespace ipcbox::etcd;

namespace {

struct Outcome {
    std::vector<std::string> messages;
    std::vector<GrpcStatus> ends;
    bool failed = false; // no more calls can go over the connection
};

const std::vector<GrpcHeader> headers{{":method", "POST"},
                                      {":scheme", "http"},
                                      {":path", "/etcdserverpb.KV/Range"},
                                      {":authority", "etcd"}};

void send_all(GrpcSession& session) {
    while (!session.to_send().empty())
        ;
}

// What comes of one call whose answer comes SIZE bytes at a time.
Outcome call(std::string_view bytes, std::size_t size) {
    Outcome outcome;
    GrpcSession session;
    const auto stream = session.open(headers);
    session.send(stream, "question", GrpcSession::End::yes);
    try {
        send_all(session);
        for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
            session.feed(bytes.substr(0, size));
            send_all(session);
        }
        outcome.failed = session.is_over();
    } catch (const ipcbox::Error&) {
        outcome.failed = true;
    }
    session.end_all(unavailable("the connection is lost"));
    while (auto event = session.next()) {
        require(event->stream == stream && outcome.ends.empty());
        if (event->kind == GrpcSession::Event::Kind::message)
            outcome.messages.push_back(std::move(event->message));
        else
            outcome.ends.push_back(std::move(event->status));
    }
    require(outcome.ends.size() == 1);
    return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size}; // NOLINT
    const auto whole = call(bytes, size);
    const auto in_pieces = call(bytes, 1);
    // After a failure, they differ in how much was read before. And nghttp2 counts a CONTINUATION
    // frame again for each piece of its head, and refuses more than eight.
    if (whole.failed || in_pieces.failed) return 0;
    require(whole.messages == in_pieces.messages);
    require(whole.ends.front().code == in_pieces.ends.front().code);
    return 0;
}
