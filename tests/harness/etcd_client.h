// Calls to a client of etcd that many tests make.
#pragma once

#include "core/error.h"
#include "core/random.h"
#include "etcd/client.h"

#include <chrono>
#include <string>
#include <utility>

namespace ipcbox::test {

[[nodiscard]] inline Deadline soon() {
    return Deadline::after(std::chrono::seconds{20});
}

[[nodiscard]] inline etcd::Access access_to(const std::string& endpoints) {
    return {.endpoints = etcd::Endpoint::parse_list(endpoints)};
}

[[nodiscard]] inline etcd::LeaseId any_lease() {
    return static_cast<etcd::LeaseId>(RandomNumbers{}.next() >> 2U | 1U);
}

[[nodiscard]] inline etcd::Transaction put(std::string key, std::string value,
                                           etcd::LeaseId lease = 0) {
    return {{}, {etcd::Operation::put(std::move(key), std::move(value), lease)}, {}};
}

// The next event of this watch. Throws Error when none comes.
[[nodiscard]] inline etcd::WatchEvent next_of(etcd::Client& client, etcd::WatchId watch) {
    while (auto event = client.wait_event(soon()))
        if (event->watch == watch) return *std::move(event);
    throw Error("no event of the watch comes");
}

// Starts a watch and waits until it is armed.
[[nodiscard]] inline etcd::WatchId armed(etcd::Client& client, const etcd::Watch& watch) {
    const auto id = client.watch(watch);
    const auto event = next_of(client, id);
    if (event.kind != etcd::WatchEvent::Kind::created)
        throw Error("cannot arm a watch: " + event.reason);
    return id;
}

// The error that the call throws.
template <class Request>
etcd::CallError failure_of(etcd::Client& client, const Request& request,
                           Deadline deadline = soon()) {
    try {
        (void)client.call(request, deadline);
    } catch (const etcd::CallError& error) {
        return error;
    }
    throw Error("the call did not fail");
}

} // namespace ipcbox::test
