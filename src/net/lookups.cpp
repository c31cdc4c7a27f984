#include "net/lookups.h"

#include "core/error.h"
#include "core/event.h"
#include "core/thread.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace ipcbox::net {

namespace {

// getaddrinfo(3) asks one question at a time. A resolver on the local network takes a few dozen at
// once without dropping any.
constexpr std::size_t max_threads = 32;

} // namespace

// Shared with the threads, which may still wait for an answer when the object is gone.
struct Lookups::State {
    struct Question {
        std::size_t number;
        std::string host;
        Deadline deadline;
    };

    Family family;
    Event answered;
    std::mutex mutex;
    std::condition_variable asked;
    std::deque<Question> questions;
    std::vector<Answer> answers;
    std::size_t threads = 0;
    std::size_t idle = 0; // how many threads wait for a question
    bool ended = false;

    explicit State(Family wanted) : family(wanted) {}

    void answer_questions() {
        std::unique_lock lock{mutex};
        for (;;) {
            ++idle;
            asked.wait(lock, [this] { return ended || !questions.empty(); });
            --idle;
            if (ended) return;
            const auto question = std::move(questions.front());
            questions.pop_front();
            lock.unlock();
            auto answer = answer_to(question);
            lock.lock();
            answers.push_back(std::move(answer));
            answered.signal();
        }
    }

    [[nodiscard]] Answer answer_to(const Question& question) const {
        if (question.deadline.passed()) return {question.number, {}, "timed out"};
        auto lookup = look_up(question.host, 0, family);
        return {question.number, std::move(lookup.addresses), std::move(lookup.problem)};
    }
};

Lookups::Lookups(Family family) : family_(family), state_(std::make_shared<State>(family)) {}

Lookups::~Lookups() {
    const std::lock_guard lock{state_->mutex};
    state_->ended = true;
    state_->asked.notify_all();
}

std::vector<Address> Lookups::known(const std::string& host) const {
    return known_addresses(host, 0, family_);
}

void Lookups::ask(std::size_t number, std::string host, Deadline deadline) {
    const std::lock_guard lock{state_->mutex};
    auto& questions = state_->questions;
    questions.push_back({number, std::move(host), deadline});
    // An idle thread may have been woken for an earlier question, so compare with all questions.
    if (questions.size() > state_->idle && state_->threads < max_threads) {
        try {
            start_thread([state = state_] { state->answer_questions(); }).detach();
            ++state_->threads;
        } catch (const SysError&) {
            if (state_->threads == 0) {
                questions.pop_back();
                throw;
            }
        }
    }
    state_->asked.notify_one();
}

int Lookups::fd() const noexcept {
    return state_->answered.fd();
}

std::vector<Lookups::Answer> Lookups::take() {
    const std::lock_guard lock{state_->mutex};
    state_->answered.clear();
    return std::exchange(state_->answers, {});
}

} // namespace ipcbox::net
