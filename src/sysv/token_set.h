// Tokens out of a System V semaphore set. A process that wants to be inside takes one, and waits
// while all of them are taken; whether that is a plain set of one token (sysv/plain_set.h) or a
// counting set of any number (sysv/counting_set.h) is decided when the set is made: one slot under
// a number or a path is a plain set, everything else a counting one.
#pragma once

#include "sysv/counting_set.h"
#include "sysv/plain_set.h"

#include <optional>
#include <variant>
#include <vector>

namespace ipcbox::sysv {

class TokenSet {
  public:
    // The key of the manual page.
    [[nodiscard]] static Key default_key() { return Key::parse("1234"); }

    static constexpr int max_slots = CountingSet::max_slots;

    // The existing set, nothing when there is none. Throws Error when a name's key is a stranger's.
    [[nodiscard]] static std::optional<TokenSet> find(const Key& key);

    enum class Origin { found, made };
    // The set with this many tokens: made if it is missing, found if it has that shape. Throws
    // Error naming both shapes otherwise. Two processes may do this at once. A set that could not
    // be made whole does not stay.
    [[nodiscard]] static TokenSet create(const Key& key, int slots, mode_t mode);

    [[nodiscard]] int id() const { return id_; }
    // Whether this process has made the set, just now.
    [[nodiscard]] Origin origin() const { return origin_; }
    [[nodiscard]] int slots() const;
    [[nodiscard]] int taken() const;
    [[nodiscard]] std::vector<TokenHolder> holders() const;

    // All of these throw SetRemoved when the set is removed meanwhile, SysError or Error otherwise.

    // False when no token was free until the deadline.
    [[nodiscard]] bool take(Lease lease, Deadline deadline);
    // Takes part in the whole set until our process ends, with any number of others that share it.
    // No token is taken meanwhile. False when some token was taken until the deadline.
    [[nodiscard]] bool share(Deadline deadline);
    // Gives a token that is lent; false when none was until the deadline. A token that is held
    // until a process ends is never given.
    [[nodiscard]] bool give(Deadline deadline);
    // Waits for a moment at which no token is taken and nobody waits for one; false when there was
    // none until the deadline.
    [[nodiscard]] bool wait_until_free(Deadline deadline);
    // False when more than SLOTS tokens were taken until the deadline. Throws Error when the set
    // cannot have that many.
    [[nodiscard]] bool resize(int slots, Deadline deadline);

  private:
    using Kind = std::variant<PlainSet, CountingSet>;

    TokenSet(int id, Kind kind) : id_(id), kind_(std::move(kind)) {}

    [[nodiscard]] static std::optional<TokenSet> recognize(const SemaphoreSet& set, const Key& key);
    [[nodiscard]] static TokenSet shaped(SemaphoreSet set, const Key& key, int slots);

    int id_;
    Kind kind_;
    Origin origin_ = Origin::found;
};

} // namespace ipcbox::sysv
