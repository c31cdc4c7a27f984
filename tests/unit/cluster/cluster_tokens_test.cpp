// Tokens of a member of the cluster that answers as no etcd does.
#include "cluster/cluster_tokens.h"

#include "core/poll.h"
#include "etcd/protobuf.h"
#include "harness/etcd_client.h"
#include "harness/false_member.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::cluster;

namespace {

using Request = FalseMember::Request;
using State = ClusterTokens::State;

// The error of a client that gets a lease of TTL seconds, and then the ANSWER.
std::string failure_with(std::int64_t ttl, const std::string& answer) {
    const FalseMember member{[&](const Request& request) {
        constexpr char ttl_field = 8;
        if (!request.is_call)
            return FalseMember::whole(request, etcd::ProtobufWriter{}.number(3, 1).bytes());
        if (request.message.front() != ttl_field) return FalseMember::whole(request, answer);
        // Field 2 is the lease. An answer is never empty.
        return FalseMember::whole(request,
                                  etcd::ProtobufWriter{}.number(2, 1).number(3, ttl).bytes());
    }};
    etcd::Client client{access_to(member.text())};
    client.set_patience(std::chrono::seconds{20});
    ClusterTokens tokens{client,
                         {.keys = TokenKeys::parse("@x", default_prefix), .entry = {}, .slots = 1}};
    tokens.start();
    for (const auto limit = soon(); tokens.state() == State::queuing && !limit.passed();) {
        auto entries = client.poll_entries();
        (void)poll_until(entries, std::min({limit, client.next_moment(), tokens.next_moment()}));
        tokens.work();
    }
    CHECK(tokens.state() == State::failed);
    return tokens.error();
}

} // namespace

TEST_CASE("a lease that is over at once, and an entry that is not there, make no sense") {
    constexpr const char* no_sense = "the server's answer makes no sense";
    CHECK(failure_with(0, "") == no_sense);
    CHECK(failure_with(-5, "") == no_sense);
    // A transaction that has succeeded, with the results of a look at a set that is not there.
    const auto key = TokenKeys::parse("@x", default_prefix).queue();
    const auto some = etcd::ProtobufWriter{}.text(1, key).number(2, 7).bytes();
    const auto found = etcd::ProtobufWriter{}.text(2, some).bytes();
    const auto full = etcd::ProtobufWriter{}.text(1, found).bytes();
    const auto none = etcd::ProtobufWriter{}.explicit_text(1, "").bytes();
    etcd::ProtobufWriter answer;
    answer.number(2, 1);
    for (const auto& result : {none, none, full, full, full})
        answer.text(3, result);
    CHECK(failure_with(15, answer.bytes()) == no_sense);
    CHECK(failure_with(15, etcd::ProtobufWriter{}.number(2, 1).bytes()) == no_sense);
}
