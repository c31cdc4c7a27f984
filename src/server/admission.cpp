#include "server/admission.h"

#include <algorithm>

namespace ipcbox::server {

namespace {

using Counts = std::unordered_map<std::string, unsigned>;

void wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                Deadline deadline) {
    if (const auto left = deadline.remaining())
        changed.wait_for(lock, *left);
    else
        changed.wait(lock);
}

void count_down(Counts& counts, const std::string& name) {
    const auto found = counts.find(name);
    if (found != counts.end() && --found->second == 0) counts.erase(found);
}

} // namespace

// --- A place

Place::Place(Place&& other) noexcept
    : admission_(std::exchange(other.admission_, nullptr)), number_(other.number_),
      is_confirmed_(other.is_confirmed_), network_(std::move(other.network_)),
      client_(std::move(other.client_)) {}

Place& Place::operator=(Place&& other) noexcept {
    std::swap(admission_, other.admission_);
    std::swap(number_, other.number_);
    std::swap(is_confirmed_, other.is_confirmed_);
    std::swap(network_, other.network_);
    std::swap(client_, other.client_);
    return *this;
}

Place Place::left(std::string network, std::string client) {
    Place place;
    place.network_ = std::move(network);
    place.client_ = std::move(client);
    return place;
}

Place::~Place() {
    if (admission_ != nullptr) admission_->give_back(*this);
}

void Place::confirm() {
    if (admission_ == nullptr || is_confirmed_) return;
    const std::lock_guard lock{admission_->mutex_};
    is_confirmed_ = true;
    --admission_->undecided_;
    ++admission_->served_;
    // Some loops may wait for this decision. If the total is now served, they end.
    admission_->changed_.notify_all();
}

bool Place::enter_network(const std::string& network, unsigned max) {
    const std::lock_guard lock{admission_->mutex_};
    if (max == 0) return false; // without an entry for the network
    unsigned& count = admission_->networks_[network];
    if (count >= max) return false;
    ++count;
    network_ = network;
    return true;
}

unsigned Place::enter_client(const std::string& client) {
    const std::lock_guard lock{admission_->mutex_};
    client_ = client;
    return ++admission_->clients_[client];
}

// --- The admission

bool Admission::is_over() const {
    return is_closed_ || (limits_.total && served_ >= *limits_.total);
}

bool Admission::has_room() const {
    return taken_ < limits_.places && (!limits_.total || served_ + undecided_ < *limits_.total);
}

Deadline Admission::next_opening() const {
    const bool at_limit =
        limits_.rate && recent_.size() >= static_cast<std::size_t>(limits_.rate->count);
    return at_limit ? std::max(pause_ends_, recent_.front().leaves) : pause_ends_;
}

Place Admission::issue() {
    ++taken_;
    ++undecided_;
    const auto number = next_number_++;
    if (limits_.rate) {
        recent_.push_back({number, Deadline::after(limits_.rate->period)});
        if (recent_.size() > static_cast<std::size_t>(limits_.rate->count)) recent_.pop_front();
    }
    return Place{*this, number};
}

void Admission::give_back(const Place& place) noexcept {
    const std::lock_guard lock{mutex_};
    --taken_;
    if (!place.is_confirmed_) {
        --undecided_;
        std::erase_if(recent_, [&](const Entry& entry) { return entry.number == place.number_; });
    }
    if (!place.network_.empty()) count_down(networks_, place.network_);
    if (!place.client_.empty()) count_down(clients_, place.client_);
    changed_.notify_one();
}

std::optional<Place> Admission::take() {
    std::unique_lock lock{mutex_};
    for (;;) {
        if (is_over()) return std::nullopt;
        const Deadline opening = next_opening();
        if (has_room() && opening.passed()) {
            auto place = issue();
            // Pass the news on: several places may have become free, but only one loop was woken.
            if (has_room()) changed_.notify_one();
            return place;
        }
        wait_until(changed_, lock, has_room() ? opening : Deadline::never());
    }
}

std::optional<Place> Admission::try_take() {
    const std::lock_guard lock{mutex_};
    if (is_over() || !has_room() || !next_opening().passed()) return std::nullopt;
    return issue();
}

bool Admission::wait_for_pause() {
    std::unique_lock lock{mutex_};
    while (!is_over() && !pause_ends_.passed())
        wait_until(changed_, lock, pause_ends_);
    return !is_over();
}

Place Admission::take_over(Place left, Counted counted) {
    const std::lock_guard lock{mutex_};
    ++taken_;
    Place place{*this, next_number_++};
    if (!left.network_.empty()) ++networks_[left.network_];
    if (!left.client_.empty()) ++clients_[left.client_];
    place.network_ = std::move(left.network_);
    place.client_ = std::move(left.client_);
    place.is_confirmed_ = counted == Counted::already;
    if (counted == Counted::not_yet) ++undecided_;
    return place;
}

void Admission::pause(Duration duration) {
    const std::lock_guard lock{mutex_};
    pause_ends_ = std::max(pause_ends_, Deadline::after(duration));
}

void Admission::close() {
    const std::lock_guard lock{mutex_};
    is_closed_ = true;
    changed_.notify_all();
}

void Admission::open() {
    const std::lock_guard lock{mutex_};
    is_closed_ = false;
}

std::uint64_t Admission::served() {
    const std::lock_guard lock{mutex_};
    return served_;
}

bool Admission::is_total_served() {
    const std::lock_guard lock{mutex_};
    return limits_.total && served_ >= *limits_.total;
}

} // namespace ipcbox::server
