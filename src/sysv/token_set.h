// Tokens in a System V semaphore set. A process takes a token before it goes on, and waits while
// all tokens are taken. A set is either a plain set of one token (sysv/plain_set.h) or a counting
// set of any number (sysv/counting_set.h). That is decided when it is created: one slot under a
// number or a path is a plain set, everything else is a counting set.
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

    // The existing set; nothing when there is none. Throws Error when another program uses the key
    // of a name.
    [[nodiscard]] static std::optional<TokenSet> find(const Key& key);

    enum class Origin { found, made };
    // The set with this many tokens, which is created if it is missing. If it exists with another
    // number, throws an Error that gives both. Two processes may do this at once. If the set cannot
    // be completed, it does not stay.
    [[nodiscard]] static TokenSet create(const Key& key, int slots, mode_t mode);

    [[nodiscard]] int id() const { return id_; }
    // Whether this process has just created the set.
    [[nodiscard]] Origin origin() const { return origin_; }
    [[nodiscard]] int slots() const;
    [[nodiscard]] int taken() const;
    [[nodiscard]] std::vector<TokenHolder> holders() const;

    // All of these throw SetRemoved when the set is removed meanwhile, and SysError or Error for
    // other failures.

    // False when no token was free until the deadline.
    [[nodiscard]] bool take(Lease lease, Deadline deadline);
    // Shares the whole set until our process ends, with any number of other processes. Meanwhile no
    // token can be taken. False when some token was still taken at the deadline.
    [[nodiscard]] bool share(Deadline deadline);
    // Gives a token that is lent; false when none was lent until the deadline. It never gives a
    // token that is held until a process ends.
    [[nodiscard]] bool give(Deadline deadline);
    // Waits for a moment at which no token is taken and no process waits for one; false when there
    // was no such moment until the deadline.
    [[nodiscard]] bool wait_until_free(Deadline deadline);
    // Changes the number of tokens; false when more than SLOTS tokens were still taken at the
    // deadline. Throws Error when the set cannot have that many.
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
