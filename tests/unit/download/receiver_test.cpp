#include "download/receiver.h"

#include "http/failure.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::download;

namespace {

class Sink : public http::BodySink {
  public:
    void write(std::string_view bytes) override { text += bytes; }
    [[nodiscard]] std::optional<Direct> direct() override { return Direct{1, "somewhere"}; }
    void moved(std::uint64_t bytes) override { direct_bytes += bytes; }
    void finish() override { finished = true; }

    std::string text;
    std::uint64_t direct_bytes = 0;
    bool finished = false;
};

class Counter : public Progress {
  public:
    void begin(std::size_t, const std::string&, std::optional<std::uint64_t>,
               std::uint64_t) override {}
    void moved(std::size_t, std::uint64_t bytes) override { all += bytes; }
    void end(std::size_t) override {}
    std::uint64_t all = 0;
};

} // namespace

TEST_CASE("bytes are counted, hashed and handed on") {
    Sink sink;
    Counter counter;
    http::Digest digest{"md5"};
    const ReceiverOptions options;
    Receiver receiver{sink, nullptr, {&digest}, options, 0, &counter, 0, Deadline::never()};
    CHECK_FALSE(receiver.direct()); // the digest has to see the bytes
    receiver.write("hel");
    receiver.write("lo");
    receiver.finish();
    CHECK(sink.text == "hello");
    CHECK(sink.finished);
    CHECK(receiver.bytes() == 5);
    CHECK(counter.all == 5);
    CHECK(digest.hex() == "5d41402abc4b2a76b9719d911017c592");
}

TEST_CASE("bytes that nobody has to see may be moved by the kernel") {
    Sink sink;
    const ReceiverOptions options;
    Receiver receiver{sink, nullptr, {}, options, 10, nullptr, 0, Deadline::never()};
    REQUIRE(receiver.direct());
    receiver.moved(7);
    CHECK(sink.direct_bytes == 7);
    CHECK(receiver.bytes() == 7);
}

TEST_CASE("a document that is too large is cut off") {
    Sink sink;
    ReceiverOptions options;
    options.max_bytes = 12;
    Receiver receiver{sink, nullptr, {}, options, 10, nullptr, 0, Deadline::never()};
    receiver.write("ab");
    try {
        receiver.write("c");
        FAIL("it took more than allowed");
    } catch (const http::TransferError& error) {
        CHECK(error.status() == http::status::too_large);
    }
    CHECK(sink.text == "ab");
}
