#include "net/address_rate.h"

#include "core/random.h"

#include <algorithm>
#include <cstring>

namespace ipcbox::net {

namespace {

// The finaliser of splitmix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number
// Generators", 2014): each bit of the number changes about half of the bits of the result.
std::uint64_t mixed(std::uint64_t number) {
    number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
    number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
    return number ^ (number >> 31U);
}

} // namespace

AddressRate::AddressRate(unsigned per_second)
    : interval_(per_second == 0 ? Duration{} : Duration{std::chrono::seconds{1}} / per_second),
      secret_(RandomNumbers{}.next()), served_until_(per_second == 0 ? 0 : slots) {}

bool AddressRate::allows(const Address& address, Deadline::Clock::time_point now) {
    if (served_until_.empty()) return true;
    auto& served_until = served_until_[slot_of(address)];
    const auto next = std::max(served_until, now) + interval_;
    if (next > now + std::chrono::seconds{1}) return false;
    served_until = next;
    return true;
}

std::size_t AddressRate::slot_of(const Address& address) const {
    std::uint64_t network = 0;
    const auto bytes = address.ip_bytes().substr(0, sizeof network);
    std::memcpy(&network, bytes.data(), bytes.size());
    return mixed(mixed(network ^ secret_) + secret_) % slots;
}

} // namespace ipcbox::net
