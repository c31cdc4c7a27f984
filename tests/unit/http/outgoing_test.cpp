#include "http/outgoing.h"

#include "core/io.h"
#include "core/pipe.h"
#include "core/socket_pair.h"
#include "http/failure.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::http;

namespace {

RequestBody body(const std::string& text, BodyFraming framing = BodyFraming::length) {
    return {std::make_shared<TextSource>(text), framing, text.size(), false};
}

// Sends all of it. Returns the bytes that the other end gets.
std::string sent(Outgoing& outgoing) {
    auto pair = make_socket_pair();
    while (!outgoing.is_over())
        outgoing.send_some(pair.ours.get());
    pair.ours = Fd{};
    return read_to_end(pair.theirs.get(), 1'000'000, "a socket");
}

} // namespace

TEST_CASE("heads and a body are sent in their order") {
    Outgoing outgoing;
    CHECK(outgoing.is_empty());
    outgoing.add("one ");
    outgoing.add("two ");
    CHECK_FALSE(outgoing.has_body());
    const std::string text = "three";
    outgoing.add(body(text));
    CHECK(outgoing.has_body());
    CHECK(sent(outgoing) == "one two three");
    CHECK(outgoing.is_empty());
    CHECK_FALSE(outgoing.has_body());
}

TEST_CASE("a body in chunks ends with an empty one") {
    Outgoing outgoing;
    const std::string text = "hello";
    outgoing.add(body(text, BodyFraming::chunks));
    CHECK(sent(outgoing) == "5\r\nhello\r\n0\r\n\r\n");
}

TEST_CASE("a body that is shorter than announced is an error") {
    Outgoing outgoing;
    const std::string text = "hello";
    auto announced = body(text);
    announced.size = 9;
    outgoing.add(std::move(announced));
    CHECK_THROWS_AS((void)sent(outgoing), TransferError);
}

TEST_CASE("sending never waits") {
    auto pair = make_socket_pair();
    Outgoing outgoing;
    const std::string text(10'000'000, 'x');
    outgoing.add(body(text));
    for (int calls = 0; calls < 100; ++calls)
        outgoing.send_some(pair.ours.get());
    CHECK_FALSE(outgoing.is_over());
    CHECK(outgoing.waits_for(pair.ours.get()).entry.events == POLLOUT);
    pair.theirs = Fd{};
    outgoing.send_some(pair.ours.get());
    CHECK(outgoing.error() != 0);
    CHECK(outgoing.is_over());
    CHECK(outgoing.has_body());
    outgoing.drop();
    CHECK(outgoing.is_empty());
}

TEST_CASE("a body is held back until the server has said that it wants it") {
    auto pair = make_socket_pair();
    Outgoing outgoing;
    const std::string text = "body";
    auto held = body(text);
    held.wait_for_100 = true;
    outgoing.add("head ");
    outgoing.add(std::move(held));
    outgoing.send_some(pair.ours.get());
    CHECK_FALSE(outgoing.waits_for(pair.ours.get()).until.is_never());
    CHECK(outgoing.waits_for(pair.ours.get()).entry.fd == -1);
    outgoing.release();
    outgoing.send_some(pair.ours.get());
    CHECK(outgoing.is_empty());
}
