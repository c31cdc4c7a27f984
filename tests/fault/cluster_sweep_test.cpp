// The sweep for tokens in etcd. One system call after another of a command that uses the cluster
// fails once, with each errno that the kernel could return there. Whatever fails, the command does
// its work all the same, or one line says why not and the set is as before. No lease is left, and
// no process.
#include "cluster/token_sets.h"
#include "core/error.h"
#include "core/process_info.h"
#include "etcd/protobuf.h"
#include "fault/sweep.h"
#include "harness/etcd_client.h"
#include "harness/etcd_cluster.h"
#include "harness/injected_fault.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::cluster;

namespace {

// etcd's list of all leases.
struct LeaseLeases {
    static constexpr std::string_view path = "/etcdserverpb.Lease/LeaseLeases";
    struct Answer {
        std::vector<etcd::LeaseId> leases;
        static Answer decode(std::string_view message) {
            Answer answer;
            for (etcd::ProtobufReader reader{message}; reader.next();)
                if (reader.field() == 2) answer.leases.push_back(etcd::number_in(reader.text(), 1));
            return answer;
        }
    };
    [[nodiscard]] static std::string encode() { return {}; }
};

// Whether a token that the command waits for is given while it waits.
enum class Token { stays, comes };

// In the words, URL becomes the cluster's endpoints, OWNER the pid of a process that runs, and TEST
// that of the test.
struct SweptCommand {
    const char* what;
    std::vector<Words> before; // these run first, without faults
    Words words;
    std::string done; // the state afterwards
    int status = 0;   // the status that shows that all went well
    Failure failure = Failure::changes_nothing;
    Token token = Token::stays;
};

class World {
  public:
    explicit World(EtcdCluster::Plan plan = {}, const etcd::Access& access = {})
        : cluster_(scenario.path(".."), std::move(plan)), client_(with_endpoints(access)) {}

    // Runs the command with one fault. False when no call was left to fail.
    bool fails_somewhere(const SweptCommand& command, const std::string& fault);

    Scenario scenario;

  private:
    etcd::Access with_endpoints(etcd::Access access) const {
        access.endpoints = etcd::Endpoint::parse_list(cluster_.endpoints());
        return access;
    }
    Words with_names(Words words, pid_t owner) const;
    Result run(const SweptCommand& command, const Words& words);
    TokenSetState set() { return look_at_set(client_, keys_, soon()); }
    void give_lent() { (void)give_back(client_, keys_, soon()); }
    void wait_for_queue(const Process& process);
    std::string state();
    std::vector<etcd::LeaseId> leases() { return client_.call(LeaseLeases{}, soon()).leases; }
    void clean_up();

    EtcdCluster cluster_;
    etcd::Client client_;
    TokenKeys keys_ = TokenKeys::parse("@x", default_prefix);
};

Words World::with_names(Words words, pid_t owner) const {
    for (auto& word : words)
        if (word == "URL")
            word = cluster_.endpoints();
        else if (word == "OWNER")
            word = fmt::format("{}", owner);
        else if (word == "TEST")
            word = fmt::format("{}", ::getpid());
    return words;
}

// Waits until the process is in the queue, or has ended.
void World::wait_for_queue(const Process& process) {
    CHECK(eventually([&] { return set().queue.size() > 1 || !process.is_running(); }));
}

Result World::run(const SweptCommand& command, const Words& words) {
    if (command.token == Token::stays) return scenario.run(words);
    auto process = scenario.start(words);
    wait_for_queue(process);
    give_lent();
    return process.wait();
}

std::string World::state() {
    const auto now = set();
    if (!now.slots) return "no set";
    const auto lent = std::ranges::count(now.queue, etcd::LeaseId{0}, &QueuePlace::lease);
    return fmt::format("slots {}, lent {}, held {}", *now.slots, lent,
                       std::ssize(now.queue) - lent);
}

// So that the next run finds what this one found, even after a failure.
void World::clean_up() {
    for (const auto lease : leases())
        (void)client_.call(etcd::LeaseRevoke{lease}, soon());
    for (const auto& place : set().queue)
        (void)give_back(client_, place.key, place.revision, soon());
    (void)cluster::remove_set(client_, keys_, soon());
}

std::string names_of_children() {
    std::string names;
    for (const auto pid : running_children())
        if (const auto process = find_process(pid)) names += process->name + " ";
    return names;
}

bool is_of_the_contract(int status, const SweptCommand& command) {
    constexpr std::array statuses{exit_status::failed, exit_status::before_command,
                                  exit_status::cannot_execute, exit_status::not_found,
                                  exit_status::timed_out};
    return status == command.status || std::ranges::find(statuses, status) != statuses.end();
}

bool World::fails_somewhere(const SweptCommand& command, const std::string& fault) {
    INFO("command: ", std::string{command.what});
    CAPTURE(fault);
    (void)state(); // connects, if need be through a process that speaks TLS
    const auto ours = running_children();
    auto owner = scenario.start({"cat"});
    for (const auto& words : command.before)
        REQUIRE(scenario.run(with_names(words, owner.pid())).status == 0);
    const auto before = state();
    const auto words = with_names(command.words, owner.pid());
    Result result;
    const auto fired = with_fault(scenario, fault, [&] { result = run(command, words); });
    CAPTURE(fired);
    CAPTURE(result.out);
    CAPTURE(result.err);
    CAPTURE(result.status);
    CHECK(is_of_the_contract(result.status, command));
    const bool may_say_nothing = result.status == command.status || fired.starts_with("write");
    if (!result.err.empty() || !may_say_nothing)
        CHECK((result.err.starts_with(words.front() + ": ") && result.err.ends_with('\n') &&
               std::ranges::count(result.err, '\n') == 1));
    if (result.status == command.status) {
        CHECK(state() == command.done);
    } else if (command.failure == Failure::may_come_late) {
        const auto now = state();
        CHECK((now == before || now == command.done));
    } else {
        CHECK(eventually([&] { return state() == before; }));
    }
    owner.close_input();
    (void)owner.wait();
    if (contains(state(), "held 1"))
        (void)scenario.run({"sem-give", "--etcd", cluster_.endpoints(), "@x"});
    const bool have_ended = eventually([&] { return running_children() == ours; });
    CAPTURE(names_of_children());
    CHECK(have_ended);
    CHECK(eventually([&] { return leases().empty(); }));
    CHECK(scenario.count_files() == 0);
    clean_up();
    return !fired.empty();
}

const Words make{"sem-create", "--etcd", "URL", "@x"};
const Words lend{"sem-take", "--etcd", "URL", "@x"};

std::vector<SweptCommand> commands() {
    return {
        {"sem-create", {}, make, "slots 1, lent 0, held 0", 0, Failure::may_come_late},
        {"sem-create --resize",
         {make},
         {"sem-create", "--etcd", "URL", "-J", "--resize", "2", "@x"},
         "slots 2, lent 0, held 0",
         0,
         Failure::may_come_late},
        {"sem-create --remove",
         {make},
         {"sem-create", "--etcd", "URL", "--remove", "@x"},
         "no set",
         0,
         Failure::may_come_late},
        {"sem-take",
         {make},
         {"sem-take", "--etcd", "URL", "-J", "--ttl", "10m", "@x"},
         "slots 1, lent 1, held 0"},
        {"sem-take of what is taken",
         {make, lend},
         {"sem-take", "--etcd", "URL", "--ttl", "10m", "-q", "-w", "10ms", "@x"},
         "slots 1, lent 1, held 0",
         1},
        {"sem-give",
         {make, lend},
         {"sem-give", "--etcd", "URL", "-J", "@x"},
         "slots 1, lent 0, held 0",
         0,
         Failure::may_come_late},
        {"sem-take with a command",
         {make},
         {"sem-take", "--etcd", "URL", "--ttl", "10m", "@x", "true"},
         "slots 1, lent 0, held 0"},
        {"ipc-list", {make, lend}, {"ipc-list", "--etcd", "URL"}, "slots 1, lent 1, held 0"},
    };
}

// Their keepers make most of the calls.
std::vector<SweptCommand> kept_commands() {
    return {{"sem-take that waits",
             {make, lend},
             {"sem-take", "--etcd", "URL", "--ttl", "10m", "@x", "true"},
             "slots 1, lent 0, held 0",
             0,
             Failure::may_come_late,
             Token::comes},
            {"sem-take -n of what is taken, with a command",
             {make, lend},
             {"sem-take", "--etcd", "URL", "--ttl", "10m", "-n", "-q", "@x", "true"},
             "slots 1, lent 1, held 0",
             1},
            {"sem-take --hold-for",
             {make},
             {"sem-take", "--etcd", "URL", "--ttl", "10m", "--hold-for", "OWNER", "@x"},
             "slots 1, lent 0, held 1"},
            {"sem-give of a child",
             {make, {"sem-take", "--etcd", "URL", "--ttl", "10m", "--hold-for", "TEST", "@x"}},
             {"sem-give", "--etcd", "URL", "@x"},
             "slots 1, lent 0, held 0",
             0,
             Failure::may_come_late}};
}

void sweep(World& world, const std::vector<SweptCommand>& commands,
           std::initializer_list<const char*> usual_errors) {
    for (const auto& command : commands) {
        const auto runs = sweep_calls(swept_errors(usual_errors), [&](const std::string& fault) {
            return world.fails_somewhere(command, fault);
        });
        MESSAGE(std::string{command.what}, ": ", runs, " calls failed");
        std::fflush(stdout);
    }
}

} // namespace

TEST_CASE("no matter what fails, no token of a cluster is lost and no lease is left") {
    World world;
    sweep(world, commands(), {"ENOMEM", "EMFILE"});
}

TEST_CASE("no matter what fails, a token is kept as long as its process runs, and no longer") {
    World world;
    sweep(world, kept_commands(), {"ENOMEM"});
}

#ifdef IPCBOX_HAS_TLS
TEST_CASE("no matter what fails over TLS, no token of a cluster is lost and no lease is left") {
    Scenario files;
    REQUIRE(files
                .shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                       "-subj /CN=etcd -addext subjectAltName=IP:127.0.0.1 "
                       "-keyout key -out certificate")
                .status == 0);
    etcd::Access access;
    access.tls.insecure = true;
    World world{{.certificate = files.path("certificate"),
                 .key = files.path("key"),
                 .authority = files.path("certificate")},
                access};
    sweep(world,
          {{"sem-take over TLS",
            {{"sem-create", "-k", "--etcd", "URL", "@x"}},
            {"sem-take", "-k", "--etcd", "URL", "--ttl", "10m", "@x", "true"},
            "slots 1, lent 0, held 0"}},
          {"ENOMEM"});
}
#endif
