#include "server/reverse_names.h"

#include "core/thread.h"
#include "net/resolve.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <unordered_map>

namespace ipcbox::server {

namespace {

constexpr auto patience = std::chrono::seconds{1};
constexpr auto lifetime = std::chrono::minutes{10};
// We need limits, because clients decide how many addresses we look up.
constexpr std::size_t max_names = 4096;
constexpr std::size_t max_questions = 64;

// Nothing unless the name leads back to ADDRESS.
std::optional<std::string> confirmed_name(const ReverseNames::Questions& questions,
                                          const net::Address& address) {
    auto name = questions.name_of(address);
    if (!name || name->empty()) return std::nullopt;
    const auto is_same = [&address](const net::Address& other) {
        return other.ip_bytes() == address.ip_bytes();
    };
    return std::ranges::any_of(questions.addresses_of(*name), is_same) ? name : std::nullopt;
}

} // namespace

// Shared with the thread, which may still wait for an answer when the object is gone.
struct ReverseNames::State {
    struct Name {
        std::string text; // empty without a name, or while we ask for it
        Deadline expires;
    };

    std::mutex mutex;
    std::condition_variable asked;
    Found found;
    Questions dns;
    std::unordered_map<std::string, Name> names; // keyed by address
    std::deque<net::Address> questions;
    bool ended = false;
};

ReverseNames::Questions ReverseNames::dns() {
    return {[](const net::Address& address) {
                return net::reverse_name(address, Deadline::after(patience));
            },
            [](const std::string& name) {
                return net::resolve(name, 0, net::Family::any, Deadline::after(patience));
            }};
}

ReverseNames::ReverseNames(Found found, Questions questions) : state_(std::make_shared<State>()) {
    state_->found = std::move(found);
    state_->dns = std::move(questions);
    start_thread([state = state_] { answer_questions(state); }).detach();
}

ReverseNames::~ReverseNames() {
    const std::lock_guard lock{state_->mutex};
    state_->ended = true;
    state_->asked.notify_one();
}

std::string ReverseNames::name_of(const net::Address& address) {
    const std::lock_guard lock{state_->mutex};
    auto& names = state_->names;
    const auto ip = address.host();
    const auto known = names.find(ip);
    if (known != names.end() && !known->second.expires.passed()) return known->second.text;
    if (state_->questions.size() >= max_questions) return {};
    if (names.size() >= max_names) names.clear();
    names.insert_or_assign(ip, State::Name{{}, Deadline::after(lifetime)});
    state_->questions.push_back(address);
    state_->asked.notify_one();
    return {};
}

void ReverseNames::answer_questions(const std::shared_ptr<State>& state) {
    std::unique_lock lock{state->mutex};
    for (;;) {
        state->asked.wait(lock, [&] { return state->ended || !state->questions.empty(); });
        if (state->ended) return;
        const auto address = state->questions.front();
        state->questions.pop_front();
        lock.unlock();
        std::optional<std::string> name;
        try {
            name = confirmed_name(state->dns, address);
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): it has no name
        }
        lock.lock();
        if (!name || state->ended) continue;
        state->names.insert_or_assign(address.host(),
                                      State::Name{*name, Deadline::after(lifetime)});
        state->found(address.host(), *name);
    }
}

} // namespace ipcbox::server
