// A cluster of etcd and sem-take on it, for tests of tokens that several hosts share.
#pragma once

#include "core/process_info.h"
#include "harness/etcd_cluster.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <string>

namespace ipcbox::test {

class TokenBench {
  public:
    explicit TokenBench(std::size_t members = 1) : TokenBench({.members = members}) {}
    explicit TokenBench(const EtcdCluster::Plan& plan) : cluster(scenario.path("."), plan) {}

    // The words of a sem-take with OPTIONS for @NAME that runs COMMAND.
    [[nodiscard]] Words words(Words options, const std::string& name, const Words& command) const {
        Words all{"sem-take", "--etcd", cluster.endpoints()};
        all.insert(all.end(), options.begin(), options.end());
        all.push_back(name);
        all.insert(all.end(), command.begin(), command.end());
        return all;
    }
    Result take(const Words& options, const std::string& name, const Words& command = {"true"}) {
        return scenario.run(words(options, name, command));
    }
    // Starts a sem-take that holds the token until its input ends.
    [[nodiscard]] Process hold(const Words& options, const std::string& name) {
        auto holder = scenario.start(words(options, name, holding()));
        if (holder.line() != "in") throw std::runtime_error("no token: " + holder.error_line());
        return holder;
    }
    static Words holding() { return {"sh", "-c", "echo in; read line; exit 5"}; }

    // The number of entries in NAME's queue.
    [[nodiscard]] long queue_length(const std::string& name) const {
        const auto keys = cluster.ctl({"get", "--prefix", "--keys-only", queue_of(name)});
        long count = 0;
        for (std::size_t at = keys.find(queue_of(name)); at != std::string::npos;
             at = keys.find(queue_of(name), at + 1))
            ++count;
        return count;
    }
    static std::string queue_of(const std::string& name) {
        return "ipcbox/sem/" + name.substr(1) + "/queue/";
    }
    // The lease of the only entry, in the form of etcdctl(1).
    [[nodiscard]] std::string lease_of(const std::string& name) const {
        const auto keys = cluster.ctl({"get", "--prefix", "--keys-only", queue_of(name)});
        constexpr std::size_t digits = 16;
        return keys.substr(keys.find(queue_of(name)) + queue_of(name).size(), digits);
    }

    // Waits for DURATION. BUSY must have no free token in that time.
    bool outlasts(const std::string& busy, const std::string& duration) {
        return take({"-q", "-w", duration}, busy).status == 1;
    }

    Scenario scenario;
    EtcdCluster cluster;
};

// The keeper of the front FRONT. 0 when there is none.
inline pid_t keeper_of(pid_t front) {
    for (const auto child : children_of(front))
        if (const auto process = find_process(child); process && process->name.starts_with("keep:"))
            return child;
    return 0;
}

// Kills the keeper of FRONT, and waits until another one has taken its place.
inline void replace_keeper(pid_t front) {
    const auto keeper = keeper_of(front);
    REQUIRE(keeper != 0);
    REQUIRE(::kill(keeper, SIGKILL) == 0);
    REQUIRE(eventually([&] {
        const auto next = keeper_of(front);
        return next != 0 && next != keeper;
    }));
}
// The command of the front FRONT.
inline pid_t command_of(pid_t front) {
    for (const auto child : children_of(front))
        if (const auto process = find_process(child);
            process && !process->name.starts_with("keep:"))
            return child;
    return 0;
}

} // namespace ipcbox::test
