#include "clocks/open_questions.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ipcbox::clocks {

OpenQuestions::Key OpenQuestions::key_of(const net::Address& address) {
    Key key;
    const auto ip = address.ip_bytes();
    std::memcpy(key.ip.data(), ip.data(), std::min(ip.size(), sizeof key.ip));
    key.port_and_family =
        std::uint32_t{address.port()} << 16U | static_cast<std::uint32_t>(address.family());
    return key;
}

std::size_t OpenQuestions::Hash::operator()(const Key& key) const noexcept {
    // Fibonacci hashing, because the addresses of a network differ only in their last bits.
    constexpr std::uint64_t factor = 0x9E3779B97F4A7C15;
    const auto mixed = (key.ip[0] * factor + key.ip[1]) * factor + key.port_and_family;
    return static_cast<std::size_t>(mixed * factor >> 16U);
}

OpenQuestions::Index OpenQuestions::add(std::size_t number, Source source,
                                        const net::Address& address, std::uint64_t nonce) {
    const auto question = static_cast<Index>(questions_.size());
    if (number >= latest_.size()) latest_.resize(number + 1, none);
    questions_.push_back({.number = static_cast<std::uint32_t>(number),
                          .before = std::exchange(latest_[number], question),
                          .source = source,
                          .nonce = nonce,
                          .sent = std::chrono::steady_clock::now()});
    auto& asked = asked_[key_of(address)];
    (asked.first == none ? asked.first : questions_[asked.last].next) = question;
    asked.last = question;
    return question;
}

void OpenQuestions::settle(std::size_t number, Question::State state) {
    if (number >= latest_.size()) return; // there was no socket for the question
    // Stop at a question that no longer waits: the questions before it were settled with it.
    for (auto at = latest_[number]; at != none; at = questions_[at].before) {
        if (questions_[at].state != Question::State::waiting) return;
        questions_[at].state = state;
    }
}

OpenQuestions::Asked* OpenQuestions::asked_of(const net::Address& address) {
    const auto found = asked_.find(key_of(address));
    if (found == asked_.end()) return nullptr;
    auto& asked = found->second;
    for (; asked.first != none; asked.first = questions_[asked.first].next) {
        const auto state = questions_[asked.first].state;
        if (state == Question::State::waiting) break;
        asked.was_given_up = asked.was_given_up || state == Question::State::given_up;
    }
    return &asked;
}

} // namespace ipcbox::clocks
