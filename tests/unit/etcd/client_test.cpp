// A client, and members of the cluster that answer as no etcd does. Those that answer as etcd does
// are in tests/interop.
#include "core/poll.h"
#include "etcd/protobuf.h"
#include "harness/etcd_client.h"
#include "harness/false_member.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::etcd;

namespace {

using Request = FalseMember::Request;

// What etcd says of a watch that is armed, and of one that has a lease.
const std::string armed_watch = ProtobufWriter{}.number(3, 1).bytes();

std::string granted(const Request& request) {
    return FalseMember::whole(request, ProtobufWriter{}.number(3, 5).bytes());
}

// What is wrong with a member that answers a call with ANSWER.
std::string problem_with(const FalseMember::Answer& answer) {
    const FalseMember member{answer};
    Client client{access_to(member.text())};
    client.set_patience(std::chrono::seconds{20});
    (void)client.start(LeaseGrant{5, 1}, soon());
    while (client.problems().empty() && !client.next_finished()) {
        auto entries = client.poll_entries();
        (void)poll_until(entries, client.next_moment());
        client.work();
    }
    const auto start = fmt::format("http://{}: ", member.text());
    return client.problems().substr(start.size());
}

} // namespace

TEST_CASE(
    "a member without a useful answer is known by what was wrong, and by no more than a line") {
    CHECK(problem_with([](const Request& request) {
              return grpc::head(request.stream) + grpc::trailers(request.stream, "0");
          }) == "no answer");
    CHECK(problem_with([](const Request& request) {
              return grpc::frame(3, 0, request.stream, std::string{"\0\0\0\7", 4});
          }) == "it dropped the call (REFUSED_STREAM)");
    const auto long_text = problem_with([](const Request& request) {
        const std::string piece(10'000, 'x');
        const auto size = piece.size() - 127;
        const std::string start{'\x7f', static_cast<char>(size % 128 + 128),
                                static_cast<char>(size / 128)};
        return grpc::head(request.stream) +
               grpc::frame(grpc::headers_type, grpc::end_headers | grpc::end_stream, request.stream,
                           grpc::header("grpc-status", "14") + '\0' + '\x0c' + "grpc-message" +
                               start + piece);
    });
    CHECK(long_text == std::string(1000, 'x'));
}

TEST_CASE("a member that arms no watch is left for the next one") {
    const FalseMember silent{[](const Request& request) {
        return request.is_call ? granted(request) : grpc::head(request.stream);
    }};
    const FalseMember good{[](const Request& request) {
        return request.is_call ? granted(request) : FalseMember::whole(request, armed_watch);
    }};
    Client client{access_to(silent.text() + "," + good.text())};
    client.set_patience(std::chrono::milliseconds{10});
    auto event = next_of(client, client.watch({"key", {}}));
    CHECK(event.kind == WatchEvent::Kind::lost);
    CHECK(event.reason ==
          fmt::format("the connection was lost: http://{}: no answer", silent.text()));
    while (event.kind != WatchEvent::Kind::created)
        event = next_of(client, client.watch({"key", {}}));
    CHECK(client.call(LeaseGrant{5, 1}, soon()).ttl_s == 5);
}

TEST_CASE("a watch whose messages make no sense is lost, and the client goes on") {
    const FalseMember member{[](const Request& request) {
        return request.is_call ? granted(request) : FalseMember::whole(request, "\xff\xff");
    }};
    Client client{access_to(member.text())};
    client.set_patience(std::chrono::seconds{20});
    const auto event = next_of(client, client.watch({"key", {}}));
    CHECK(event.kind == WatchEvent::Kind::lost);
    CHECK(event.reason == "etcd says: the server sends a message that makes no sense");
    CHECK(client.call(LeaseGrant{5, 1}, soon()).ttl_s == 5);
}
