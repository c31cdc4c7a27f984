// Limits how often each address gets an answer. A UDP service answers the address that a datagram
// names as its sender, and that address can be forged. With this limit nobody can flood a victim
// through us.
//
// It is the Generic Cell Rate Algorithm (ITU-T I.371). It keeps one moment for each address: when
// the address will have had exactly its rate. A hash with a secret maps addresses to the slots of a
// table of fixed size. So a flood of forged senders can neither grow the table nor clear it. Two
// addresses in the same slot share one rate. An IPv6 network (/64) counts as one address, because
// each of its hosts can use countless addresses.
#pragma once

#include "core/deadline.h"
#include "net/address.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ipcbox::net {

class AddressRate {
  public:
    // Allows PER_SECOND answers in any second, even all at once. 0 means no limit.
    explicit AddressRate(unsigned per_second);

    // Whether ADDRESS may get an answer at NOW. A true result counts as an answer.
    [[nodiscard]] bool allows(const Address& address, Deadline::Clock::time_point now);

  private:
    static constexpr std::size_t slots = 16384; // 128 KiB

    [[nodiscard]] std::size_t slot_of(const Address& address) const;

    Duration interval_; // between two answers, at the rate
    std::uint64_t secret_;
    std::vector<Deadline::Clock::time_point> served_until_;
};

} // namespace ipcbox::net
