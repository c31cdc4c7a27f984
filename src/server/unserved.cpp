#include "server/unserved.h"

#include "core/error.h"

#include <algorithm>
#include <utility>

namespace ipcbox::server {

void Unserved::add(OpenConnection connection) {
    const std::lock_guard lock{mutex_};
    if (connections_.empty()) {
        pause_ = first_pause;
        next_attempt_ = Deadline::after(pause_);
    }
    connections_.push_back(std::move(connection));
}

void Unserved::put_back(std::vector<OpenConnection> connections) {
    if (connections.empty()) return;
    const std::lock_guard lock{mutex_};
    std::ranges::move(connections, std::back_inserter(connections_));
    pause_ = first_pause;
    next_attempt_ = Deadline::after(Duration::zero());
}

std::vector<OpenConnection> Unserved::take_all() {
    const std::lock_guard lock{mutex_};
    next_attempt_ = Deadline::never();
    return std::exchange(connections_, {});
}

bool Unserved::empty() const {
    const std::lock_guard lock{mutex_};
    return connections_.empty();
}

Deadline Unserved::next_attempt() const {
    const std::lock_guard lock{mutex_};
    return next_attempt_;
}

std::optional<Unserved::Shortage>
Unserved::attempt(const std::function<void(OpenConnection&)>& start) {
    const std::lock_guard lock{mutex_};
    if (!next_attempt_.passed()) return std::nullopt;
    next_attempt_ = Deadline::never();
    auto next = connections_.begin();
    std::optional<Shortage> shortage;
    try {
        for (; next != connections_.end(); ++next)
            start(*next);
    } catch (const SysError& error) {
        pause_ = std::min(2 * pause_, max_pause);
        next_attempt_ = Deadline::after(pause_);
        shortage = {error.what(), pause_};
    }
    connections_.erase(connections_.begin(), next);
    return shortage;
}

} // namespace ipcbox::server
