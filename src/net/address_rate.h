// How often each address may have something: a limit for a service that answers whoever is named as
// the sender, which can be a lie (UDP). With it nobody can be flooded through us.
//
// It is the Generic Cell Rate Algorithm (ITU-T I.371): of each address one moment is kept, at which
// it will have had exactly its rate. That is a table of moments and nothing else. Addresses share
// the slots of the table, found by a hash with a secret, so it can neither grow nor be swept clean
// by a flood of forged senders; two that share one share a rate. A network of IPv6 (/64), of which
// every host has addresses without number, counts as one address.
#pragma once

#include "core/deadline.h"
#include "net/address.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ipcbox::net {

class AddressRate {
  public:
    // PER_SECOND times in any second, all at once or not; 0 for without a limit.
    explicit AddressRate(unsigned per_second);

    // Whether ADDRESS may at NOW, which is noted then.
    [[nodiscard]] bool allows(const Address& address, Deadline::Clock::time_point now);

  private:
    static constexpr std::size_t slots = 16384; // 128 KiB

    [[nodiscard]] std::size_t slot_of(const Address& address) const;

    Duration interval_; // between two, at the rate
    std::uint64_t secret_;
    std::vector<Deadline::Clock::time_point> served_until_;
};

} // namespace ipcbox::net
