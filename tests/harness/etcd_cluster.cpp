#include "harness/etcd_cluster.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/program.h"
#include "core/spawn.h"
#include "harness/scenario.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>

namespace ipcbox::test {

namespace {

std::string url(const std::string& scheme, std::uint16_t port) {
    return fmt::format("{}://127.0.0.1:{}", scheme, port);
}

// Our environment without the variables that etcd and etcdctl read, and with MORE.
std::vector<std::string> environment_with(std::vector<std::string> more) {
    for (char** entry = environ; *entry != nullptr; ++entry)
        if (std::string_view text{*entry}; !text.starts_with("ETCD")) more.emplace_back(text);
    return more;
}

} // namespace

EtcdCluster::EtcdCluster(std::string directory, Plan plan)
    : directory_(std::move(directory)), plan_(std::move(plan)), members_(plan_.members) {
    for (std::size_t at = 0; at < members_.size(); ++at)
        start(at);
    wait_until_ready();
}

EtcdCluster::~EtcdCluster() = default; // each Child kills its member

std::string EtcdCluster::scheme() const {
    return plan_.certificate.empty() ? "http" : "https";
}

std::string EtcdCluster::endpoint(std::size_t member) const {
    return url(scheme(), members_[member].client_port.number());
}

std::string EtcdCluster::endpoints() const {
    std::string all;
    for (std::size_t at = 0; at < members_.size(); ++at)
        all += (at == 0 ? "" : ",") + endpoint(at);
    return all;
}

void EtcdCluster::start(std::size_t at) {
    auto& member = members_[at];
    std::string everybody;
    for (std::size_t other = 0; other < members_.size(); ++other)
        everybody += fmt::format("{}m{}={}", other == 0 ? "" : ",", other,
                                 url("http", members_[other].peer_port.number()));
    const auto peer = url("http", member.peer_port.number());
    std::vector<std::string> arguments{"etcd",
                                       fmt::format("--name=m{}", at),
                                       fmt::format("--data-dir={}/etcd-m{}", directory_, at),
                                       "--listen-client-urls=" + endpoint(at),
                                       "--advertise-client-urls=" + endpoint(at),
                                       "--listen-peer-urls=" + peer,
                                       "--initial-advertise-peer-urls=" + peer,
                                       "--initial-cluster=" + everybody,
                                       "--initial-cluster-state=new",
                                       fmt::format("--heartbeat-interval={}", plan_.heartbeat_ms),
                                       fmt::format("--election-timeout={}", plan_.election_ms)};
    if (!plan_.certificate.empty()) {
        arguments.push_back("--cert-file=" + plan_.certificate);
        arguments.push_back("--key-file=" + plan_.key);
    }
    if (!plan_.client_authority.empty()) {
        arguments.emplace_back("--client-cert-auth");
        arguments.push_back("--trusted-ca-file=" + plan_.client_authority);
    }
    arguments.insert(arguments.end(), plan_.arguments.begin(), plan_.arguments.end());
    const Fd log = open_file(fmt::format("{}/etcd-m{}.log", directory_, at),
                             O_WRONLY | O_CREAT | O_APPEND, new_file_mode);
    const auto environment = environment_with({});
    SpawnPlan plan;
    plan.output = plan.error = log.get();
    plan.environment = &environment;
    plan.death_signal = SIGKILL;
    member.process = spawn(find_program("etcd"), arguments, plan);
}

pid_t EtcdCluster::pid(std::size_t member) const {
    return members_[member].process.pid();
}

void EtcdCluster::kill(std::size_t member) {
    members_[member].process = Child{};
}

void EtcdCluster::restart(std::size_t member) {
    kill(member);
    start(member);
}

void EtcdCluster::stop(std::size_t member) {
    if (const auto& process = members_[member].process) process.kill(SIGSTOP);
}

void EtcdCluster::resume(std::size_t member) {
    if (const auto& process = members_[member].process) process.kill(SIGCONT);
}

void EtcdCluster::wait_until_ready() const {
    const bool is_ready = eventually([this] {
        try {
            (void)ctl({"put", "ready", "yes"});
            return true;
        } catch (const Error& error) {
            return std::string_view{error.what()}.find("permission") != std::string_view::npos ||
                   std::string_view{error.what()}.find("user name") != std::string_view::npos;
        }
    });
    if (!is_ready) throw Error("etcd does not come up: see " + directory_);
}

std::size_t EtcdCluster::leader() const {
    // A line for each member: "http://127.0.0.1:40001, 8e9e05c52164694d, 3.4.23, 20 kB, true,
    // false, …". Newer versions have more fields after the first true or false.
    std::string status;
    std::size_t found = members_.size();
    const auto look = [&] {
        status = ctl({"endpoint", "status", "--write-out=simple"});
        for (std::size_t at = 0; at < members_.size(); ++at) {
            const auto line =
                status.substr(std::min(status.find(endpoint(at) + ","), status.size()));
            const auto is_leader = line.find(", true,");
            if (is_leader < line.find('\n') && is_leader < line.find(", false,")) found = at;
        }
        return found < members_.size();
    };
    // On a busy machine, the members may be about to elect another one.
    if (!eventually(look)) throw Error("no member leads: " + status);
    return found;
}

std::string EtcdCluster::ctl(const std::vector<std::string>& arguments) const {
    std::vector<std::string> words{"etcdctl", "--endpoints=" + endpoints(), "--command-timeout=5s"};
    if (!plan_.authority.empty()) words.push_back("--cacert=" + plan_.authority);
    if (!plan_.client_authority.empty()) {
        words.push_back("--cert=" + plan_.certificate);
        words.push_back("--key=" + plan_.key);
    }
    words.insert(words.end(), arguments.begin(), arguments.end());
    Pipe pipe = make_pipe();
    const auto environment = environment_with({"ETCDCTL_API=3"});
    SpawnPlan plan;
    plan.output = plan.error = pipe.writer.get();
    plan.environment = &environment;
    Child etcdctl = spawn(find_program("etcdctl"), words, plan);
    pipe.writer = Fd{};
    constexpr std::size_t max_output = 1UL << 24U;
    auto output = read_to_end(pipe.reader.get(), max_output, "etcdctl");
    const auto status = etcdctl.wait();
    if (!status.succeeded()) throw Error(fmt::format("etcdctl: {}: {}", status.text(), output));
    return output;
}

} // namespace ipcbox::test
