#include "server/reverse_names.h"

#include "net/resolve.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace ipcbox::server {

namespace {

constexpr auto patience = std::chrono::seconds{1};
constexpr auto lifetime = std::chrono::minutes{10};
// Clients choose how many addresses there are; so there are limits.
constexpr std::size_t most_names = 4096;
constexpr std::size_t most_questions = 64;

} // namespace

// Outlives the object in the thread, which may be waiting for an answer at the end.
struct ReverseNames::State {
    struct Name {
        std::string text; // empty: it has none, or it is being asked for
        Deadline expires;
    };

    std::mutex mutex;
    std::condition_variable asked;
    Found found;
    std::unordered_map<std::string, Name> names; // by address
    std::deque<net::Address> questions;
    bool ended = false;
};

ReverseNames::ReverseNames(Found found) : state_(std::make_shared<State>()) {
    state_->found = std::move(found);
    std::thread{[state = state_] { answer_questions(state); }}.detach();
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
    if (state_->questions.size() >= most_questions) return {};
    if (names.size() >= most_names) names.clear();
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
            name = net::reverse_name(address, Deadline::after(patience));
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): then it has none
        }
        lock.lock();
        if (!name || state->ended) continue;
        state->names.insert_or_assign(address.host(),
                                      State::Name{*name, Deadline::after(lifetime)});
        state->found(address.host(), *name);
    }
}

} // namespace ipcbox::server
