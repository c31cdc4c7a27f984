// Calls to a client of etcd that many tests make.
#pragma once

#include "cluster/etcd_client.h"
#include "core/error.h"
#include "core/random.h"

#include <chrono>
#include <string>
#include <utility>

namespace ipcbox::test {

[[nodiscard]] inline Deadline soon() {
    return Deadline::after(std::chrono::seconds{20});
}

[[nodiscard]] inline cluster::EtcdAccess access_to(const std::string& endpoints) {
    return {.endpoints = cluster::EtcdEndpoint::parse_list(endpoints)};
}

[[nodiscard]] inline cluster::LeaseId any_lease() {
    return static_cast<cluster::LeaseId>(RandomNumbers{}.next() >> 2U | 1U);
}

[[nodiscard]] inline cluster::Transaction put(std::string key, std::string value,
                                              cluster::LeaseId lease = 0) {
    return {{}, {cluster::Operation::put(std::move(key), std::move(value), lease)}, {}};
}

// The next event of this watch. Throws Error when none comes.
[[nodiscard]] inline cluster::WatchEvent next_of(cluster::EtcdClient& client,
                                                 cluster::WatchId watch) {
    while (auto event = client.wait_event(soon()))
        if (event->watch == watch) return *std::move(event);
    throw Error("no event of the watch comes");
}

// Starts a watch and waits until it is armed.
[[nodiscard]] inline cluster::WatchId armed(cluster::EtcdClient& client,
                                            const cluster::Watch& watch) {
    const auto id = client.watch(watch);
    const auto event = next_of(client, id);
    if (event.kind != cluster::WatchEvent::Kind::created)
        throw Error("cannot arm a watch: " + event.reason);
    return id;
}

// The error that the call throws.
template <class Request>
cluster::EtcdError failure_of(cluster::EtcdClient& client, const Request& request,
                              Deadline deadline = soon()) {
    try {
        (void)client.call(request, deadline);
    } catch (const cluster::EtcdError& error) {
        return error;
    }
    throw Error("the call did not fail");
}

} // namespace ipcbox::test
