// What it takes to reach an etcd cluster: its members, and our login.
#pragma once

#include "net/address.h"
#include "net/tls_process.h"

#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::etcd {

struct Endpoint {
    bool is_https = false;
    net::HostPort place;

    // "http://host:2379", "https://host", "host:2379", "host": the port is 2379 unless there is
    // one. Throws std::invalid_argument, saying what was expected.
    [[nodiscard]] static Endpoint parse(std::string_view text);
    // Several, with commas or blanks between them.
    [[nodiscard]] static std::vector<Endpoint> parse_list(std::string_view text);
    [[nodiscard]] std::string text() const; // "http://host:2379"

    friend bool operator==(const Endpoint& one, const Endpoint& other) {
        return one.text() == other.text();
    }
};

// front/ipc/etcd_options.h fills it.
struct Access {
    std::vector<Endpoint> endpoints; // at least one
    std::string user{};              // empty: no login
    std::string password{};
    net::TlsOptions tls{}; // name is ignored: it is the endpoint's host
};

} // namespace ipcbox::etcd
