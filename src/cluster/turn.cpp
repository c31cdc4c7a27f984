#include "cluster/turn.h"

#include "core/number.h"

#include <algorithm>

namespace ipcbox::cluster {

bool Turn::waits_for(std::string_view key) const {
    return std::ranges::find(ahead, key) != ahead.end();
}

bool Turn::watches_as(const Turn& other) const {
    return slots == other.slots && ahead == other.ahead && (slots == 1 || kind == other.kind);
}

std::optional<std::int64_t> parse_slots(std::string_view text) {
    const auto slots = whole_number<std::int64_t>(text);
    return slots && *slots > 0 ? slots : std::nullopt;
}

Turn judge(const QueueLook& look, std::string_view key, std::int64_t our_revision,
           std::int64_t slots) {
    if (!look.slots) return {Turn::Kind::no_set};
    if (parse_slots(*look.slots) != slots) return {Turn::Kind::slots_differ};
    if (!look.has_ours) return {Turn::Kind::gone};
    Turn turn;
    for (const auto& entry : look.first)
        if (entry.create_revision < our_revision && entry.key != key)
            turn.ahead.push_back(entry.key);
    const auto ahead = static_cast<std::int64_t>(turn.ahead.size());
    if (ahead < slots) return {Turn::Kind::inside};
    turn.slots = slots;
    turn.slots_revision = look.slots_revision;
    if (ahead == slots) {
        turn.kind = Turn::Kind::first;
        return turn;
    }
    turn.kind = Turn::Kind::behind;
    // At least one entry is between ours and those inside, so some entry is right before ours.
    turn.ahead.assign(1, look.before_ours ? look.before_ours->key : turn.ahead.back());
    return turn;
}

} // namespace ipcbox::cluster
