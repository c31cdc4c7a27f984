// Takes apart what timecheck and udptime print, and has a clock that they can ask.
#pragma once

#include "harness/client.h"
#include "harness/clock_answers.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <semaphore>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace ipcbox::test {

// A server of RFC 868 whose clock is OFFSET ahead of this host's.
inline Peer::Work says_time(std::chrono::nanoseconds offset = {}) {
    return [offset](const Fd& client) { say(client, time_bytes_now(offset)); };
}

// The same server. It releases TAKEN as soon as a client has taken the answer.
inline Peer::Work says_time_until(std::binary_semaphore& taken) {
    return [&taken](const Fd& client) {
        say(client, time_bytes_now());
        ::shutdown(client.get(), SHUT_WR);
        (void)receive_all(client); // returns when the client has the answer
        taken.release();
    };
}

// The command line of timecheck with these WORDS.
inline Words timecheck(const Words& words) {
    Words all{"timecheck"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

inline Words lines_of(std::string_view text) {
    Words lines;
    while (!text.empty()) {
        lines.emplace_back(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
    }
    return lines;
}

// The JSON objects in TEXT, which has one on each line.
inline std::vector<nlohmann::json> objects_of(std::string_view text) {
    std::vector<nlohmann::json> objects;
    for (const auto& line : lines_of(text)) {
        objects.push_back(nlohmann::json::parse(line));
        CHECK(objects.back()["v"] == 1);
    }
    return objects;
}

// Whether the real OFFSET of a clock is within the error that the object reports.
inline bool contains(const nlohmann::json& object, double offset) {
    const double nanosecond = 1e-9;
    return object["offset"].is_number() && std::abs(object["offset"].get<double>() - offset) <=
                                               object["uncertainty"].get<double>() + nanosecond;
}

inline std::string with_port(const char* host, std::uint16_t port) {
    return fmt::format("{}:{}", host, port);
}

} // namespace ipcbox::test
