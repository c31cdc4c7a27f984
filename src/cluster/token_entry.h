// The value of an entry in the queue of a name: one JSON object that says who waits or has the
// token. Another host wrote it, so none of it can be trusted.
//
//     {"host":"web3","pid":812,"user":"root","command":"make","since":1795000000,"state":"held"}
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::cluster {

struct TokenEntry {
    enum class State { waits, held };

    std::string host;
    std::int64_t pid = 0;
    std::string user;
    std::string command;    // the program's name only: arguments can be secrets
    std::int64_t since = 0; // seconds since 1970, by the clock of HOST
    State state = State::waits;
    // The process of HOST that keeps the token until PID ends (sem-take --hold-for); 0: none does.
    std::int64_t keeper = 0;

    // What we are; COMMAND may be a path.
    [[nodiscard]] static TokenEntry ours(std::string_view command);
    // Nothing when TEXT is no such object. Members that we do not know are skipped.
    [[nodiscard]] static std::optional<TokenEntry> parse(std::string_view text);

    [[nodiscard]] std::string json() const;
    [[nodiscard]] bool is_of_this_host() const;
    // "web3:812 (make, root, 3m12s)". What could drive a terminal becomes a question mark.
    [[nodiscard]] std::string text(std::chrono::system_clock::time_point now) const;
};

// "web3:812 (make, root, 3m12s), web4:77 (sh, root, 2s)", as of now.
[[nodiscard]] std::string names_of(const std::vector<TokenEntry>& holders);

} // namespace ipcbox::cluster
