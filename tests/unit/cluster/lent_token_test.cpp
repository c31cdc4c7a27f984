#include "cluster/lent_token.h"

#include "etcd/protobuf.h"
#include "harness/etcd_client.h"
#include "harness/false_member.h"

#include <atomic>
#include <doctest/doctest.h>
#include <sys/resource.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::cluster;

namespace {

using namespace std::chrono_literals;

std::string found(const std::string& key, std::int64_t revision, const std::string& value = "") {
    etcd::ProtobufWriter kv;
    kv.text(1, key).number(2, revision).number(3, revision).text(5, value);
    return etcd::ProtobufWriter{}.text(2, kv.bytes()).bytes();
}

// The answer to any transaction of a client whose entry is OURS: another client has the only token.
std::string second_in_queue(const TokenKeys& keys, const std::string& ours) {
    etcd::ProtobufWriter answer;
    answer.number(2, 1);
    const auto other = found(keys.queue() + "1", 2);
    for (const auto& result : {found(keys.slots(), 1, "1"), found(ours, 3), other, other})
        answer.text(3, etcd::ProtobufWriter{}.text(1, result).bytes());
    return answer.bytes();
}

std::chrono::microseconds cpu_time() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    const auto time_of = [](const timeval& time) {
        return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
    };
    return time_of(usage.ru_utime) + time_of(usage.ru_stime);
}

} // namespace

TEST_CASE("a client that waits sleeps, even if no member says for whom it waits") {
    const auto keys = TokenKeys::parse("@x", default_prefix);
    const FalseMember member{[&](const FalseMember::Request& request) -> std::string {
        constexpr char lease_field = 8; // other requests begin with a text
        const auto& text = request.message;
        if (!request.is_call || text.front() == lease_field)
            return FalseMember::whole(request, etcd::ProtobufWriter{}.number(3, 15).bytes());
        const auto entry = text.find(keys.queue());
        if (text.find(keys.slots()) == std::string::npos) return "";
        constexpr std::size_t digits = 16;
        return FalseMember::whole(
            request, second_in_queue(keys, text.substr(entry, keys.queue().size() + digits)));
    }};
    etcd::Client client{access_to(member.text())};
    const auto before = cpu_time();
    const auto lent = take_lent_token(client, {.wish = {.keys = keys, .entry = {}, .slots = 1},
                                               .wait = Deadline::after(500ms),
                                               .silence = 0ms,
                                               .tell = [](const std::string&) {}});
    CHECK_FALSE(lent.is_taken);
    CHECK(lent.refusal.starts_with("cannot take from @x: no answer in time"));
    CHECK(cpu_time() - before < 100ms);
}

TEST_CASE("a wait that ends while the server is silent gives the lease back") {
    // Whether the server answers the request for a lease, and the request to enter the queue never.
    for (const bool is_granted : {false, true})
        for (const int milliseconds : {100, 1000, 10'000}) {
            const auto wait = Deadline::after(std::chrono::milliseconds{milliseconds});
            std::atomic<bool> was_asked_in_time = false;
            std::atomic<std::int64_t> granted = 0;
            std::atomic<std::int64_t> revoked = 0;
            const FalseMember member{[&](const FalseMember::Request& request) -> std::string {
                constexpr char number_field = 8; // transactions begin with a text
                const bool is_transaction =
                    request.is_call && request.message.front() != number_field;
                if (is_transaction) return "";
                const auto answer =
                    FalseMember::whole(request, etcd::ProtobufWriter{}.number(3, 15).bytes());
                if (!request.is_call) return answer;
                const auto lease = etcd::number_in(request.message, 2);
                if (lease == 0) revoked = etcd::number_in(request.message, 1);
                if (lease != 0 && !wait.passed()) was_asked_in_time = true;
                if (lease == 0 || granted.exchange(lease) == lease || is_granted) return answer;
                return "";
            }};
            etcd::Client client{access_to(member.text())};
            const auto lent =
                take_lent_token(client, {.wish = {.keys = TokenKeys::parse("@x", default_prefix),
                                                  .entry = {},
                                                  .slots = 1,
                                                  .first_answer = wait},
                                         .wait = wait,
                                         .silence = std::nullopt,
                                         .tell = [](const std::string&) {}});
            CHECK_FALSE(lent.is_taken);
            // On a busy machine, a short wait can end before the server is asked for a lease.
            if (!was_asked_in_time && milliseconds < 10'000) continue;
            CHECK(was_asked_in_time);
            CHECK(granted != 0);
            CHECK(revoked == granted);
            break;
        }
}
