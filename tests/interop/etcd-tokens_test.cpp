// sem-take --etcd with a real etcd: its statuses, the queue, and wrong command lines.
#include "etcd/protobuf.h"
#include "harness/false_member.h"
#include "harness/peer.h"
#include "harness/time_limit.h"
#include "harness/token_bench.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using ipcbox::etcd::ProtobufWriter;

namespace {

// The lease outlives the test, so the token gets free only when it is given.
const Words long_lease{"-j1", "--ttl", "10m"};

// What etcd answers to a REQUEST of the only client in the queue of @x.
std::string alone_in_queue(const std::string& request) {
    constexpr std::size_t digits = 16;
    const auto queue = TokenBench::queue_of("@x");
    const std::string slots{"ipcbox/sem/x/slots"};
    const auto found = [](const std::string& key, const std::string& value) {
        ProtobufWriter kv;
        kv.text(1, key).number(2, 7).number(3, 7).text(5, value);
        return ProtobufWriter{}.text(2, kv.bytes()).bytes();
    };
    const auto entry = found(request.substr(request.find(queue), queue.size() + digits), "");
    if (!contains(request, slots)) return entry; // it is no transaction
    ProtobufWriter answer;
    answer.text(1, ProtobufWriter{}.number(3, 7).bytes()); // the revision
    answer.number(2, 1).text(3, ProtobufWriter{}.explicit_text(2, "").bytes());
    for (const auto& result : {found(slots, "1"), entry, entry, entry})
        answer.text(3, ProtobufWriter{}.text(1, result).bytes());
    return answer.bytes();
}

} // namespace

TEST_CASE("the status is the command's own, and the token comes back") {
    TokenBench bench;
    const auto status = [&](const Words& command) {
        const int result = bench.take({"-n", "-j1", "--ttl", "10m"}, "@status", command).status;
        CHECK(bench.queue_length("@status") == 0);
        return result;
    };
    CHECK(status({"true"}) == 0);
    CHECK(status({"--", "sh", "-c", "exit 42"}) == 42);
    CHECK(status({"sh", "-c", "kill -TERM $$"}) == 128 + SIGTERM);
    CHECK(status({"sh", "-c", "kill -KILL $$"}) == 128 + SIGKILL);
    bench.scenario.write_file("text", "");
    CHECK(status({"./text"}) == 126);
    CHECK(status({"./none"}) == 127);
    bench.scenario.write_file("garbage", "\x7f"
                                         "ELF");
    REQUIRE(::chmod("garbage", S_IRWXU) == 0);
    CHECK(status({"./garbage"}) == 126);
    const auto fed = bench.scenario.run(
        bench.words({}, "@status", {"sh", "-c", "cat; echo $# \"$@\"", "sh", "-n", "a b"}),
        "hello\n");
    CHECK(fed.out == "hello\n2 -n a b\n");
    for (int count = 0; count < 20; ++count)
        CHECK(status({"true"}) == 0);
}

TEST_CASE("the command learns its key and its fence, which rises from one to the next") {
    TokenBench bench;
    const Words tell{"sh", "-c",
                     "echo $IPCBOX_SEM_KEY $IPCBOX_SEM_FENCE $ETCD_LOCK_KEY $ETCD_LOCK_REV"};
    std::uint64_t last = 0;
    for (int count = 0; count < 3; ++count) {
        const auto told = bench.scenario.shell(
            "ETCD_LOCK_KEY=outer sem-take --etcd $1 -j1 @fence sh -c "
            "'echo $IPCBOX_SEM_FENCE $ETCD_LOCK_REV $IPCBOX_SEM_KEY $ETCD_LOCK_KEY'",
            {bench.cluster.endpoints()});
        std::uint64_t fence = 0;
        std::uint64_t same = 0;
        std::array<char, 200> key{};
        std::array<char, 200> other{};
        REQUIRE(std::sscanf(told.out.c_str(), "%lu %lu %199s %199s", &fence, &same, key.data(),
                            other.data()) == 4);
        CHECK(fence > last);
        CHECK(same == fence);
        CHECK(std::string_view{key.data()}.starts_with("ipcbox/sem/fence/queue/"));
        CHECK(std::string_view{key.data()} == other.data());
        last = fence;
    }
}

TEST_CASE("as many as there are slots are inside, and the next one is told who they are") {
    TokenBench bench;
    auto one = bench.hold({"-j2"}, "@two");
    auto other = bench.hold({"-j2"}, "@two");
    const auto refused = bench.take({"-n"}, "@two");
    CHECK(refused.status == 1);
    CHECK(refused.err.starts_with("sem-take: @two is taken by "));
    CHECK(contains(refused.err, fmt::format(":{} (sh, ", one.pid())));
    CHECK(contains(refused.err, fmt::format(":{} (sh, ", other.pid())));
    CHECK(bench.take({"-n", "-q", "-E", "75"}, "@two").status == 75);
    CHECK(bench.take({"-w", "10ms", "-E", "75"}, "@two").status == 75);
    CHECK(eventually([&] { return bench.queue_length("@two") == 2; }));
    auto waiter = bench.scenario.start(bench.words({"-v"}, "@two", bench.holding()));
    const auto line = waiter.error_line();
    CHECK(line.starts_with("sem-take: waiting for "));
    CHECK(contains(line, fmt::format(":{} (sh, ", one.pid())));
    one.close_input();
    CHECK(waiter.line() == "in");
    CHECK(one.wait().status == 5);
}

TEST_CASE("waiters enter in the order in which they came") {
    TokenBench bench;
    auto holder = bench.hold({"-j1"}, "@order");
    std::vector<Process> waiters;
    for (int number = 0; number < 4; ++number) {
        waiters.push_back(bench.scenario.start(
            bench.words({}, "@order", {"sh", "-c", fmt::format("echo {} >>order", number)})));
        REQUIRE(eventually([&] { return bench.queue_length("@order") == number + 2; }));
    }
    holder.close_input();
    for (auto& waiter : waiters)
        CHECK(waiter.wait().status == 0);
    CHECK(bench.scenario.read_file("order") == "0\n1\n2\n3\n");
}

TEST_CASE("a set has one number of slots for all, and a wrong one is named and queues nothing") {
    TokenBench bench;
    CHECK(bench.take({"-j1"}, "@slots").status == 0);
    const auto wrong = bench.take({"-j2"}, "@slots");
    CHECK(wrong.status == 125);
    CHECK(wrong.err == "sem-take: cannot take from @slots: @slots has 1 slot, not 2\n");
    CHECK(bench.queue_length("@slots") == 0);
    const auto none = bench.take({}, "@nothing");
    CHECK(none.status == 125);
    CHECK(none.err == "sem-take: cannot take from @nothing: there is no set @nothing (make it with "
                      "-j SLOTS)\n");
    (void)bench.cluster.ctl({"put", "ipcbox/sem/odd/slots", "many"});
    CHECK(contains(bench.take({}, "@odd").err, "@odd has no number of slots"));
}

TEST_CASE("names of any bytes are names") {
    TokenBench bench;
    for (const auto& name : {std::string{"@a/b"}, std::string{"@a\nb"},
                             "@" + std::string(4096, 'x'), std::string{"1234"}}) {
        auto holder = bench.hold({"-j1"}, name);
        CHECK(bench.take({"-nq"}, name).status == 1);
    }
    auto holder = bench.hold({"-j1"}, "0x4d3");
    CHECK(bench.take({"-nq"}, "1235").status == 1);
    CHECK(bench.take({"-nq", "-j1"}, "@1235").status == 0);
}

TEST_CASE("a waiter that is told to end leaves the queue, and dies of that signal") {
    TokenBench bench;
    auto holder = bench.hold(long_lease, "@leave");
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        auto waiter = bench.scenario.start(bench.words({"--ttl", "10m"}, "@leave", {"true"}));
        REQUIRE(eventually([&] { return bench.queue_length("@leave") == 2; }));
        waiter.kill(signal);
        CHECK(waiter.wait().status == 128 + signal);
        CHECK(eventually([&] { return bench.queue_length("@leave") == 1; }));
    }
}

TEST_CASE("a compaction changes nothing for a waiter") {
    TokenBench bench;
    auto holder = bench.hold({"-j1"}, "@compact");
    auto waiter = bench.scenario.start(bench.words({}, "@compact", bench.holding()));
    REQUIRE(eventually([&] { return bench.queue_length("@compact") == 2; }));
    for (int count = 0; count < 3; ++count)
        (void)bench.cluster.ctl({"put", "other", "x"});
    const auto json = bench.cluster.ctl({"get", "other", "--write-out=json"});
    const auto at = json.find("\"mod_revision\":");
    REQUIRE(at != std::string::npos);
    const auto revision = std::to_string(std::stol(json.substr(json.find(':', at) + 1)));
    (void)bench.cluster.ctl({"compact", revision});
    holder.close_input();
    CHECK(waiter.line() == "in");
}

TEST_CASE("without an etcd there is an error in time, and it names every member") {
    Scenario scenario;
    ReservedPort one;
    ReservedPort other;
    const auto endpoints =
        fmt::format("http://127.0.0.1:{},http://127.0.0.1:{}", one.number(), other.number());
    const auto refused = [](const Result& late, const ReservedPort& port) {
        return contains(late.err, fmt::format("127.0.0.1:{}: Connection refused", port.number()));
    };
    for (const Words& command : {Words{"true"}, Words{}}) {
        const auto late = with_time_limit(
            [&](const std::string& limit) {
                Words words{"sem-take", "--etcd", endpoints, "-j1", "-w", limit, "@x"};
                words.insert(words.end(), command.begin(), command.end());
                return scenario.run(words);
            },
            [&](const Result& result) { return refused(result, one) && refused(result, other); });
        CHECK(late.status == 1);
        CHECK(late.err.starts_with("sem-take: cannot take from @x: no answer in time: "));
        CHECK(refused(late, one));
        CHECK(refused(late, other));
    }
}

TEST_CASE("a server that is no etcd ends sem-take at once, with one line") {
    Scenario scenario;
    for (const std::string answer :
         {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 16\r\n\r\n"
          "<html>Log in</html>",
          "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n{\"code\":5}"}) {
        const Peer portal{[&](const Fd& client) {
            say(client, answer);
            (void)receive_all(client);
        }};
        const auto line =
            fmt::format("sem-take: cannot take from @x: cannot use etcd: http://{}: it "
                        "answers in HTTP/1.1: no etcd, or its gateway only\n",
                        portal.text());
        for (const Words& wait : {Words{}, Words{"-n"}, Words{"-w", "20"}})
            for (const Words& command : {Words{}, Words{"true"}}) {
                Words words{"sem-take", "--etcd", portal.text(), "-j1"};
                words.insert(words.end(), wait.begin(), wait.end());
                words.emplace_back("@x");
                words.insert(words.end(), command.begin(), command.end());
                const auto result = scenario.run(words);
                CHECK(result.status == (command.empty() ? 1 : 125));
                CHECK(result.err == line);
            }
    }
}

TEST_CASE("-w ends the wait of a client that has a token, and cannot keep its lease") {
    // The member does not answer keepalives, and arms the watch when the lease is nearly over.
    int leases_asked = 0;
    int entries_asked = 0;
    char watch = 0;
    const FalseMember member{[&](const FalseMember::Request& request) -> std::string {
        constexpr char lease_field = 8; // other requests begin with a text
        constexpr int last = 5;
        if (!request.is_call) {
            watch = request.stream;
            return grpc::head(watch);
        }
        if (request.message.front() != lease_field) {
            if (!contains(request.message, "/slots")) ++entries_asked;
            return FalseMember::whole(request, alone_in_queue(request.message));
        }
        const auto answer = ProtobufWriter{}.number(3, 1).bytes();
        // The first one is granted. Once the wait is over, the last one is given back.
        if (++leases_asked == 1 || entries_asked > 1) return FalseMember::whole(request, answer);
        if (leases_asked != last) return "";
        return grpc::frame(grpc::data_type, 0, watch, grpc::message(answer)); // "created"
    }};
    Scenario scenario;
    const auto result =
        scenario.run({"sem-take", "--etcd", member.text(), "-j1", "-w", "1", "@x", "true"});
    CHECK(result.status == 1);
    CHECK(contains(result.err, "@x"));
}

TEST_CASE("an invalid line is a usage error") {
    Scenario scenario;
    scenario.write_file("lock", "");
    const Words start{"sem-take", "--etcd", "http://127.0.0.1:1"};
    const auto status = [&](const Words& rest) {
        Words words = start;
        words.insert(words.end(), rest.begin(), rest.end());
        const auto result = scenario.run(words);
        CAPTURE(result.err);
        CHECK(result.err.starts_with("sem-take: "));
        return result.status;
    };
    CHECK(status({"-j1", "./lock", "true"}) == 2);
    CHECK(status({"-j1", "-s", "@x", "true"}) == 2);
    CHECK(status({"--ttl", "1", "@x", "true"}) == 2);
    CHECK(status({"--ttl", "2.5", "@x", "true"}) == 2);
    CHECK(status({"--ttl", "4", "--grace", "3", "@x", "true"}) == 2);
    CHECK(status({"--on-lost", "panic", "@x", "true"}) == 2);
    CHECK(scenario.run({"sem-take", "--etcd", "ftp://x", "@x", "true"}).status == 2);
    CHECK(scenario.run({"sem-take", "--etcd", "", "@x", "true"}).status == 2);
}
