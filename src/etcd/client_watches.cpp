// The watches of the client. Its calls are in etcd_client.cpp.
#include "etcd/client.h"
#include "etcd/protobuf.h"

#include <fmt/core.h>

namespace ipcbox::etcd {

namespace {

// Callers that never fetch their events must not fill our memory.
constexpr std::size_t max_events = 10'000;

} // namespace

WatchId Client::watch(const Watch& watch) {
    watches_.emplace(++last_id_, Asked{Watch::path, watch.encode()});
    return last_id_;
}

void Client::unwatch(WatchId id) {
    std::erase_if(events_, [id](const WatchEvent& event) { return event.watch == id; });
    const auto watch = watches_.find(id);
    if (watch == watches_.end()) return;
    if (watch->second.stream != 0) link_.connection().cancel(watch->second.stream);
    watches_.erase(watch);
}

std::optional<WatchEvent> Client::next_event() {
    if (events_.empty()) return std::nullopt;
    std::optional<WatchEvent> event{std::move(events_.front())};
    events_.pop_front();
    return event;
}

std::optional<WatchEvent> Client::wait_event(Deadline deadline) {
    while (events_.empty() && !deadline.passed())
        wait(deadline);
    return next_event();
}

void Client::hear_watch(Watches::iterator at, const std::string& message) try {
    using Kind = WatchEvent::Kind;
    auto answer = Watch::Answer::decode(message);
    if (answer.canceled) {
        auto& watch = at->second;
        link_.connection().cancel(watch.stream);
        const bool is_compacted = answer.compact_revision != 0;
        const GrpcStatus why{is_compacted ? GrpcCode::out_of_range : GrpcCode::unknown,
                             answer.cancel_reason, false};
        return end_watch(at, why);
    }
    if (answer.created) {
        at->second.attempt_end = Deadline::never();
        events_.push_back({Kind::created, at->first, {}, {}});
    }
    for (auto& [type, kv] : answer.events)
        events_.push_back({type == Watch::Event::Type::put ? Kind::put : Kind::deleted,
                           at->first,
                           std::move(kv),
                           {}});
    if (events_.size() <= max_events) return;
    link_.connection().cancel(at->second.stream);
    end_watch(at, {GrpcCode::resource_exhausted, "too much has changed at once", false});
} catch (const MalformedMessage& error) {
    link_.connection().cancel(at->second.stream);
    end_watch(at, unavailable(error.what()));
}

void Client::end_watch(Watches::iterator at, const GrpcStatus& status) {
    auto& watch = at->second;
    const auto kind = kind_of(status);
    // etcd 3.4 says "permission denied" for an expired token too.
    auto meant = status;
    if (kind == CallError::Kind::denied) meant.code = GrpcCode::unauthenticated;
    if (logs_in_again(watch, meant)) return;
    const bool is_open = link_.connection().is_open();
    if (kind == CallError::Kind::unavailable && is_open) member_problem_ = status;
    auto reason = is_open ? std::string{error_for(status, user_).what()}
                          : fmt::format("the connection was lost: {}", status.message);
    events_.push_back({WatchEvent::Kind::lost,
                       at->first,
                       {},
                       std::move(reason),
                       kind == CallError::Kind::denied});
    watches_.erase(at);
}

} // namespace ipcbox::etcd
