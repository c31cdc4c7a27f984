// The open questions over UDP. They are found by the address that an answer comes from, and by the
// number of the host that was asked. There can be hundreds of thousands, even all to one address.
#pragma once

#include "clocks/source.h"
#include "net/address.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace ipcbox::clocks {

class OpenQuestions {
  public:
    using Index = std::uint32_t;
    static constexpr Index none = UINT32_MAX;

    struct Question {
        std::uint32_t number = 0; // of the host
        Index next = none;        // of the same address
        Index before = none;      // of the same number
        Source source = Source::time_udp;
        enum class State : std::uint8_t { waiting, answered, given_up } state = State::waiting;
        std::uint64_t nonce = 0;
        std::chrono::steady_clock::time_point sent;
    };

    // The questions to one address: a list through NEXT, from the first one that still waits. The
    // list can be long, so no question is looked at twice.
    struct Asked {
        Index first = none;
        Index last = none;
        bool was_given_up = false; // one that has left the list
    };

    // A question that waits for its answer.
    Index add(std::size_t number, Source source, const net::Address& address, std::uint64_t nonce);
    [[nodiscard]] Question& operator[](Index index) { return questions_[index]; }

    // The questions of NUMBER no longer wait.
    void settle(std::size_t number, Question::State state);

    // The questions to ADDRESS, beginning with one that waits if any does; null for a stranger.
    [[nodiscard]] Asked* asked_of(const net::Address& address);

  private:
    // An address in a form that is small and can be hashed.
    struct Key {
        std::array<std::uint64_t, 2> ip{};
        std::uint32_t port_and_family = 0;
        [[nodiscard]] bool operator==(const Key&) const = default;
    };
    struct Hash {
        [[nodiscard]] std::size_t operator()(const Key& key) const noexcept;
    };
    [[nodiscard]] static Key key_of(const net::Address& address);

    std::vector<Question> questions_;
    std::vector<Index> latest_; // question, by number
    std::unordered_map<Key, Asked, Hash> asked_;
};

} // namespace ipcbox::clocks
