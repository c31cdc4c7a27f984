// An etcd cluster for a test, on loopback. It has one member or more, on free ports, and its data
// is below the test's directory. The members end with the object.
//
//     EtcdCluster cluster{scenario_directory, {.members = 3}};
//     cluster.endpoints()     "http://127.0.0.1:40001,http://127.0.0.1:40002,…"
//     cluster.kill(1); cluster.restart(1); cluster.stop(2); cluster.resume(2);
#pragma once

#include "core/child.h"
#include "harness/peer.h"

#include <cstddef>
#include <string>
#include <vector>

namespace ipcbox::test {

class EtcdCluster {
  public:
    struct Plan {
        std::size_t members = 1;
        // More arguments of etcd(1) for each member: "--auth-token-ttl=2".
        std::vector<std::string> arguments{};
        // With these files, the cluster speaks https (--cert-file and so on), and etcdctl trusts
        // AUTHORITY. If CLIENT_AUTHORITY is not empty, clients must show one of its certificates.
        std::string certificate{};
        std::string key{};
        std::string authority{};
        std::string client_authority{};
        int heartbeat_ms = 50;
        int election_ms = 500; // a lease lasts at least 1.5 times this
    };

    // DIRECTORY is Scenario::path("."). Waits until the cluster has a leader and accepts a write.
    EtcdCluster(std::string directory, Plan plan);
    ~EtcdCluster();
    EtcdCluster(const EtcdCluster&) = delete;
    EtcdCluster& operator=(const EtcdCluster&) = delete;

    // The addresses of all members, with commas between them.
    [[nodiscard]] std::string endpoints() const;
    [[nodiscard]] std::string endpoint(std::size_t member) const;
    [[nodiscard]] std::size_t size() const { return members_.size(); }
    [[nodiscard]] pid_t pid(std::size_t member) const;

    void kill(std::size_t member);    // with SIGKILL
    void restart(std::size_t member); // keeps data and ports; does not wait
    void stop(std::size_t member);    // SIGSTOP; like resume(), does nothing to a killed member
    void resume(std::size_t member);
    // The member that leads the others.
    [[nodiscard]] std::size_t leader() const;
    // Waits until the cluster accepts a write.
    void wait_until_ready() const;

    // Runs etcdctl(1) on all members, and returns its output. Throws Error when it fails.
    [[nodiscard]] std::string ctl(const std::vector<std::string>& arguments) const;

  private:
    struct Member {
        ReservedPort client_port{};
        ReservedPort peer_port{};
        Child process{};
    };

    void start(std::size_t member);
    [[nodiscard]] std::string scheme() const;

    std::string directory_;
    Plan plan_;
    std::vector<Member> members_;
};

} // namespace ipcbox::test
