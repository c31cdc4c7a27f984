#include "server/admission.h"

namespace ipcbox::server {

namespace {

void wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                Deadline deadline) {
    if (const auto left = deadline.remaining())
        changed.wait_for(lock, *left);
    else
        changed.wait(lock);
}

} // namespace

bool Gate::is_exhausted() const {
    return closed_ || (limits_.total && entered_ >= *limits_.total);
}

Deadline Gate::rate_allows() const {
    const bool at_limit =
        limits_.rate && recent_.size() >= static_cast<std::size_t>(limits_.rate->count);
    return at_limit ? recent_.front() : Deadline::after(Duration::zero());
}

void Gate::count_entry() {
    ++taken_;
    ++entered_;
    if (!limits_.rate) return;
    recent_.push_back(Deadline::after(limits_.rate->period));
    if (recent_.size() > static_cast<std::size_t>(limits_.rate->count)) recent_.pop_front();
}

bool Gate::enter() {
    std::unique_lock lock{mutex_};
    for (;;) {
        if (is_exhausted()) return false;
        const Deadline allowed = rate_allows();
        if (taken_ < limits_.places && allowed.passed()) break;
        wait_until(changed_, lock, taken_ < limits_.places ? allowed : Deadline::never());
    }
    count_entry();
    return true;
}

Gate::Entry Gate::try_enter() {
    const std::lock_guard lock{mutex_};
    if (is_exhausted()) return Entry::closed;
    if (taken_ >= limits_.places || !rate_allows().passed()) return Entry::full;
    count_entry();
    return Entry::taken;
}

void Gate::leave() {
    {
        const std::lock_guard lock{mutex_};
        --taken_;
    }
    changed_.notify_one();
}

void Gate::leave_unused() {
    {
        const std::lock_guard lock{mutex_};
        --taken_;
        --entered_;
        if (!recent_.empty()) recent_.pop_back();
    }
    changed_.notify_one();
}

bool Gate::enter_network(const std::string& network, unsigned most) {
    const std::lock_guard lock{mutex_};
    if (most == 0) return false; // and leaves no trace of who asked
    unsigned& count = networks_[network];
    if (count >= most) return false;
    ++count;
    return true;
}

void Gate::leave_network(const std::string& network) {
    const std::lock_guard lock{mutex_};
    const auto found = networks_.find(network);
    if (found != networks_.end() && --found->second == 0) networks_.erase(found);
}

void Gate::pause(Duration duration) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, duration);
}

void Gate::close() {
    {
        const std::lock_guard lock{mutex_};
        closed_ = true;
    }
    changed_.notify_all();
}

void Gate::open() {
    const std::lock_guard lock{mutex_};
    closed_ = false;
}

void Gate::add_taken() {
    const std::lock_guard lock{mutex_};
    ++taken_;
}

} // namespace ipcbox::server
