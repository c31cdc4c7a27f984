// Sets of tokens that several machines share, as people and programs read them.
#pragma once

#include "cluster/token_sets.h"

#include <chrono>
#include <string>
#include <vector>

namespace ipcbox::front {

// "2 of 4 taken".
[[nodiscard]] std::string state_text(const cluster::TokenSetState& set);
// "held by web3:812 (make, root, 3m12s); waited for by web4:77 (make, root, 2s)", "nobody".
[[nodiscard]] std::string users_text(const cluster::TokenSetState& set,
                                     std::chrono::system_clock::time_point now);

// The table, with a line of titles; nothing for no sets.
[[nodiscard]] std::vector<std::string> table_of(const std::vector<cluster::TokenSetState>& sets);
// One set for -J, with its line feed.
[[nodiscard]] std::string json_of(const cluster::TokenSetState& set);

} // namespace ipcbox::front
