#include "etcd/grpc_connection.h"

#include "core/io.h"
#include "core/socket_pair.h"
#include "harness/grpc_frames.h"
#include "harness/peer.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::test::grpc;
using namespace ipcbox::etcd;
using namespace std::string_literals;

namespace {

using Event = GrpcConnection::Event;
using End = GrpcConnection::End;

// A connection and its other end.
struct World {
    SocketPair pair = make_socket_pair();
    std::optional<GrpcConnection> connection;

    World() {
        set_nonblocking(pair.ours);
        connection.emplace(std::move(pair.ours), "localhost:2379");
    }

    // Makes a call, on a stream of its own: 1, 3, 5…
    GrpcConnection::StreamId ask(End end = End::yes) {
        const auto stream = connection->open("/test.Service/Call", {{"token", "secret"}});
        connection->send(stream, "question", end);
        connection->work();
        return stream;
    }

    void answer(const std::string& bytes) {
        say(pair.theirs, bytes);
        connection->work();
    }

    // The server closes the connection. It reads everything first, because a close with unread
    // bytes would be a reset.
    void end() {
        std::string asked(4096, '\0');
        (void)read_some(pair.theirs.get(), std::as_writable_bytes(std::span{asked}), "it");
        pair.theirs = Fd{};
        connection->work();
    }

    [[nodiscard]] Event next() {
        auto event = connection->next();
        if (!event) throw Error("no event");
        return *std::move(event);
    }
    [[nodiscard]] GrpcStatus status() {
        auto event = next();
        REQUIRE(event.kind == Event::Kind::ended);
        return event.status;
    }
};

} // namespace

TEST_CASE("a call sends HTTP/2's preface, its headers and one message") {
    World world;
    CHECK(world.ask() == 1);
    std::string sent(4096, '\0');
    sent.resize(read_some(world.pair.theirs.get(), std::as_writable_bytes(std::span{sent}), "it"));
    CHECK(sent.starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    CHECK(sent.ends_with(frame(data_type, end_stream, 1, message("question"))));
}

TEST_CASE("an answer is its message and then the status, whatever pieces it comes in") {
    const auto answer =
        settings + head(1) + frame(data_type, 0, 1, message("answer").substr(0, 3)) +
        frame(data_type, 0, 1, message("answer").substr(3) + message("")) + trailers(1, "0");
    World world;
    world.ask();
    SUBCASE("whole") {
        world.answer(answer);
    }
    SUBCASE("byte by byte") {
        for (const char byte : answer)
            world.answer({byte});
    }
    const auto first = world.next();
    CHECK(first.kind == Event::Kind::message);
    CHECK(first.stream == 1);
    CHECK(first.message == "answer");
    CHECK(world.next().message.empty());
    CHECK(world.status().code == GrpcCode::ok);
    CHECK(world.connection->is_established());
    CHECK_FALSE(world.connection->next());
}

TEST_CASE("a flush sends, and leaves in the socket what has come") {
    World world;
    world.ask();
    say(world.pair.theirs, settings + head(1) + frame(data_type, 0, 1, message("answer")));
    world.connection->flush();
    CHECK_FALSE(world.connection->next());
    CHECK_FALSE(world.connection->is_established());
    world.connection->work();
    CHECK(world.next().message == "answer");
}

TEST_CASE("streams are told apart, and one that is canceled is silent") {
    World world;
    const auto first = world.ask(End::no);
    const auto second = world.ask(End::no);
    world.answer(settings + head(1) + head(3) + frame(data_type, 0, 3, message("three")) +
                 frame(data_type, 0, 1, message("one")));
    const auto event = world.next();
    CHECK(event.stream == second);
    CHECK(event.message == "three");
    world.connection->cancel(first);
    CHECK_FALSE(world.connection->next());
    world.answer(frame(data_type, 0, 1, message("more")) + trailers(1, "0"));
    CHECK_FALSE(world.connection->next());
    world.answer(frame(data_type, 0, 3, message("still here")));
    CHECK(world.next().message == "still here");
}

TEST_CASE("an error is in the trailers, also when there is nothing else") {
    World world;
    world.ask();
    world.answer(settings +
                 frame(headers_type, end_headers | end_stream, 1,
                       header(":status", "200") + header("content-type", "application/grpc") +
                           header("grpc-status", "7") +
                           header("grpc-message", "no%20way%3A 100%25")));
    const auto status = world.status();
    CHECK(status.code == GrpcCode::permission_denied);
    CHECK(status.message == "no way: 100%");
    world.ask();
    world.answer(head(3) + trailers(3, "99", "new"));
    CHECK(world.status().code == GrpcCode::unknown);
}

TEST_CASE("an answer that is not gRPC is hopeless, except from a proxy that waits for its server") {
    World world;
    world.ask();
    world.answer(settings + head(1, "404", "text/html", end_headers | end_stream));
    auto status = world.status();
    CHECK(status.is_hopeless);
    CHECK(status.message == "it answers HTTP 404 (text/html), not gRPC: no etcd");
    world.ask();
    world.answer(head(3, "503", "text/html", end_headers | end_stream));
    status = world.status();
    CHECK_FALSE(status.is_hopeless);
    CHECK(status.code == GrpcCode::unavailable);
}

TEST_CASE("a message that is too long or compressed ends its stream only") {
    World world;
    world.ask(End::no);
    world.ask(End::no);
    world.answer(settings + head(1) + head(3) +
                 frame(data_type, 0, 1, std::string{'\0', '\x7f', '\0', '\0', '\0'}) +
                 frame(data_type, 0, 3, std::string{'\1', '\0', '\0', '\0', '\0'}));
    CHECK(world.status().code == GrpcCode::internal);
    CHECK(world.status().code == GrpcCode::internal);
    CHECK(world.connection->is_open());
}

TEST_CASE("a stream that is reset, and a connection that ends, are unavailable") {
    World world;
    world.ask();
    world.answer(settings + frame(3, 0, 1, "\0\0\0\7"s)); // RST_STREAM, REFUSED_STREAM
    CHECK(world.status().code == GrpcCode::unavailable);
    CHECK(world.connection->is_open());
    world.ask();
    SUBCASE("with a word (GOAWAY)") {
        world.answer(frame(7, 0, 0, "\0\0\0\3\0\0\0\0"s));
        CHECK(world.status().message == "it is shutting down");
    }
    SUBCASE("without one") {
        world.end();
        CHECK(world.status().message == "it closed the connection");
    }
    SUBCASE("with nonsense") {
        world.answer(frame(headers_type, end_headers, 3, "\xff\xff\xff\xff\xff\xff"));
        CHECK(world.status().code == GrpcCode::unavailable);
    }
    CHECK_FALSE(world.connection->is_open());
    CHECK(world.connection->poll_entries()[0].fd == -1);
}

TEST_CASE("a server that does not speak HTTP/2 is known by its first bytes") {
    World world;
    world.ask();
    SUBCASE("HTTP/1.1") {
        world.answer("HTTP/1.1 400 Bad Request\r\n");
        CHECK(world.status().message == "it answers in HTTP/1.1: no etcd, or its gateway only");
    }
    SUBCASE("TLS") {
        world.answer("\x15\x03\x01");
        world.end();
        CHECK(world.status().message == "it speaks TLS: write https://");
    }
    SUBCASE("something else") {
        world.answer("SSH-2.0-OpenSSH_9.2\r\n");
        CHECK(world.status().message == "it does not speak HTTP/2: no etcd");
    }
    CHECK(world.connection->why_broken().is_hopeless);
}
