// A server that says what a test wants in the place of a member of an etcd cluster.
//
//     FalseMember member{[](const FalseMember::Request& request) {
//         return grpc::head(request.stream) + grpc::trailers(request.stream, "14");
//     }};
//     etcd::Client client{access_to(member.text())};
#pragma once

#include "core/error.h"
#include "core/io.h"
#include "harness/grpc_frames.h"
#include "harness/peer.h"

#include <functional>
#include <map>
#include <span>
#include <string>

namespace ipcbox::test {

class FalseMember {
  public:
    struct Request {
        char stream = 0;
        bool is_call = true; // no more requests come on this stream; a watch leaves it open
        std::string message; // without gRPC's prefix
    };
    // Returns the bytes to send.
    using Answer = std::function<std::string(const Request&)>;

    explicit FalseMember(const Answer& answer)
        : peer_([answer](const Fd& client) { serve(client, answer); }) {}

    [[nodiscard]] std::string text() const { return peer_.text(); }

    // The answer MESSAGE, as etcd would send it.
    [[nodiscard]] static std::string whole(const Request& request, const std::string& message) {
        const auto data = grpc::frame(grpc::data_type, 0, request.stream, grpc::message(message));
        if (!request.is_call) return grpc::head(request.stream) + data;
        return grpc::head(request.stream) + data + grpc::trailers(request.stream, "0");
    }

  private:
    static std::string receive(const Fd& client, std::size_t size) {
        std::string bytes(size, '\0');
        if (read_exact(client.get(), std::as_writable_bytes(std::span{bytes}), "a client") < size)
            throw Error("the client is gone");
        return bytes;
    }

    static void serve(const Fd& client, const Answer& answer) {
        constexpr std::size_t preface_size = 24;
        constexpr std::size_t head_size = 9;
        constexpr std::size_t prefix_size = 5;
        const auto byte = [](char value) { return static_cast<unsigned char>(value); };
        (void)receive(client, preface_size);
        say(client, grpc::settings);
        for (std::map<char, std::string> bodies;;) {
            const auto head = receive(client, head_size);
            const auto payload = receive(client, byte(head[1]) * 256UL + byte(head[2]));
            const char stream = head.back();
            if (head[3] != grpc::data_type) continue;
            auto& body = bodies[stream];
            body += payload;
            if (body.size() < prefix_size ||
                body.size() < prefix_size + byte(body[3]) * 256UL + byte(body[4]))
                continue;
            const bool is_call = (byte(head[4]) & byte(grpc::end_stream)) != 0;
            say(client, answer({stream, is_call, body.substr(prefix_size)}));
            body.clear();
        }
    }

    Peer peer_;
};

} // namespace ipcbox::test
