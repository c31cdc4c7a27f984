// Whose turn it is, and which entries to wait for, by one look at a queue.
//
// The entries of a queue are in the order of their create_revision, and the first SLOTS of them are
// inside. An entry only ever moves forward, so "inside" stays true however old the look is.
//
// The waiters are a chain, not a herd. The first waiter watches everybody inside, since any of them
// may leave first. Each other waiter watches only the entry right before its own.
//
// With one slot, both watch the entry right before their own. When that one gets the token, it puts
// its entry anew, and from then on its end lets us in: there is nothing to look at in between.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::cluster {

struct QueueEntry {
    std::string key;
    std::int64_t create_revision = 0;
    std::string value{}; // empty when only keys were asked for
};

// What one transaction showed of a queue.
struct QueueLook {
    std::vector<QueueEntry> first;         // the oldest ones, one more than there are slots
    std::optional<QueueEntry> before_ours; // the youngest that is older than ours
    bool has_ours = false;
    std::optional<std::string> slots; // nothing: there is no such set (any more)
    std::int64_t slots_revision = 0;  // the mod_revision of that
};

struct Turn {
    enum class Kind {
        inside,       // it is our turn
        first,        // the next one that leaves lets us in: watch them all
        behind,       // watch AHEAD's only member
        gone,         // our entry is not there any more: its lease is over
        slots_differ, // the number of slots is another than the look assumed: look again
        no_set,       // the set was removed
    };
    Kind kind = Kind::gone;
    std::vector<std::string> ahead{}; // keys of those that we wait for
    std::int64_t slots = 0;           // how many there are, when we wait
    std::int64_t slots_revision = 0;  // since which revision

    // Whether we wait for KEY: when it is deleted, it is our turn (`first`), or we have to look
    // again (`behind`).
    [[nodiscard]] bool waits_for(std::string_view key) const;
    // Whether the same watches do for OTHER.
    [[nodiscard]] bool watches_as(const Turn& other) const;
    friend bool operator==(const Turn&, const Turn&) = default;
};

// The number of slots as the set's key has it; nothing when TEXT is no number from 1 on.
[[nodiscard]] std::optional<std::int64_t> parse_slots(std::string_view text);

// What LOOK means for the entry KEY that was made at OUR_REVISION, when there are SLOTS.
[[nodiscard]] Turn judge(const QueueLook& look, std::string_view key, std::int64_t our_revision,
                         std::int64_t slots);

} // namespace ipcbox::cluster
