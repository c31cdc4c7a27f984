#include "front/ipc/cluster_rows.h"

#include "cli/json.h"

#include <algorithm>
#include <fmt/format.h>

namespace ipcbox::front {

namespace {

using cluster::QueuePlace;
using cluster::TokenSetState;

// What the entry at place AT of the queue is doing, in the words that we use for local sets.
std::string_view deed_of(const TokenSetState& set, std::size_t at) {
    if (at >= set.taken()) return "waits";
    return set.queue[at].lease == 0 ? "took" : "holds";
}

std::string those_that(const TokenSetState& set, std::string_view deed, std::string_view words,
                       std::chrono::system_clock::time_point now) {
    std::string text;
    for (std::size_t at = 0; at < set.queue.size(); ++at)
        if (deed_of(set, at) == deed)
            text.append(text.empty() ? words : ", ").append(set.queue[at].entry.text(now));
    return text;
}

} // namespace

std::string state_text(const TokenSetState& set) {
    if (!set.slots) return "no set any more";
    return fmt::format("{} of {} taken", set.taken(), *set.slots);
}

std::string users_text(const TokenSetState& set, std::chrono::system_clock::time_point now) {
    std::string text;
    for (const auto& part :
         {those_that(set, "holds", "held by ", now), those_that(set, "took", "taken by ", now),
          those_that(set, "waits", "waited for by ", now)})
        if (!part.empty()) text.append(text.empty() ? "" : "; ").append(part);
    return text.empty() ? "nobody" : text;
}

std::vector<std::string> table_of(const std::vector<TokenSetState>& sets) {
    if (sets.empty()) return {};
    std::size_t key_width = 3;
    std::size_t state_width = 5;
    for (const auto& set : sets) {
        key_width = std::max(key_width, set.keys.text().size());
        state_width = std::max(state_width, state_text(set).size());
    }
    const auto line = [&](std::string_view key, std::string_view state, std::string_view users) {
        return fmt::format("{:<{}}  {:<{}}  {}", key, key_width, state, state_width, users);
    };
    const auto now = std::chrono::system_clock::now();
    std::vector<std::string> lines{line("KEY", "STATE", "USED BY")};
    for (const auto& set : sets)
        lines.push_back(line(set.keys.text(), state_text(set), users_text(set, now)));
    return lines;
}

std::string json_of(const TokenSetState& set) {
    cli::JsonLine line;
    line.set("kind", "etcd-sem").set("key", set.keys.text()).set("place", set.keys.place());
    if (set.slots)
        line.set("slots", *set.slots);
    else
        line.set_null("slots");
    line.set("taken", set.taken()).set("waiting", set.queue.size() - set.taken());
    line.set("users", std::vector<std::string>{});
    for (std::size_t at = 0; at < set.queue.size(); ++at) {
        const auto& entry = set.queue[at].entry;
        cli::JsonLine one;
        one.set("does", deed_of(set, at)).set("host", entry.host).set("pid", entry.pid);
        one.set("command", entry.command).set("user", entry.user).set("since", entry.since);
        line.add_object("users", one);
    }
    return line.text();
}

} // namespace ipcbox::front
