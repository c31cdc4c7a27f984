#include "server/served_children.h"

#include "core/child.h"
#include "net/socket_options.h"
#include "server/socket_holders.h"

#include <algorithm>
#include <csignal>
#include <fmt/core.h>
// The C library's tcp_info lacks the byte counts.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ipcbox::server {

namespace {

// In these states of RFC 9293, the client has sent everything. The header that names them and the
// header with the counts exclude each other.
constexpr int close_wait = 8;
constexpr int last_ack = 9;

std::string seconds_text(Duration duration) {
    return fmt::format("{} s", in_seconds(duration));
}

Deadline after(Deadline::Clock::time_point start, Duration duration) {
    return Deadline::after(duration - (Deadline::Clock::now() - start));
}

} // namespace

std::optional<TcpActivity> tcp_activity(const OpenConnection& connection) {
    const auto& socket = connection.socket;
    tcp_info info{};
    if (!socket || net::get_socket_option(socket.get(), IPPROTO_TCP, TCP_INFO, info) < 0)
        return std::nullopt;
    // The end of the client's stream counts as a byte.
    const bool has_ended = info.tcpi_state == close_wait || info.tcpi_state == last_ack;
    info.tcpi_bytes_received -= has_ended && info.tcpi_bytes_received > 0 ? 1 : 0;
    info.tcpi_bytes_received -=
        std::min<std::uint64_t>(info.tcpi_bytes_received, connection.told.header_bytes);
    const auto silent = std::min(info.tcpi_last_data_recv, info.tcpi_last_data_sent);
    return TcpActivity{{info.tcpi_bytes_received, info.tcpi_bytes_sent - info.tcpi_bytes_retrans},
                       std::chrono::milliseconds{silent}};
}

ServedChildren::ServedChildren(Limits limits, Trouble trouble, const Event& changed)
    : limits_(limits), trouble_(std::move(trouble)), changed_(changed) {}

ServedChildren::Start::Start(ServedChildren& children) : children_(children) {
    const std::lock_guard lock{children_.mutex_};
    ++children_.starting_;
}

ServedChildren::Start::~Start() {
    const std::lock_guard lock{children_.mutex_};
    // No connection will claim the entries that are left. Remove them, because a later child may
    // get the same pid.
    if (--children_.starting_ == 0) children_.ended_early_.clear();
}

void ServedChildren::Start::done(ServedChild child) {
    children_.add(std::move(child));
}

void ServedChildren::add(ServedChild child) {
    const pid_t pid = child.connection.told.pid;
    const Deadline due = first_deadline(child);
    const bool has_ended = child.status.has_value(); // while our former image ran
    const std::lock_guard lock{mutex_};
    auto& entry = entries_[pid];
    entry.child = std::move(child);
    const auto early = ended_early_.extract(pid);
    if (early) {
        child_ended(pid, early.mapped());
        return changed_.signal();
    }
    set_due(entry, signal_for_all_ || has_ended ? Deadline::after(Duration::zero()) : due);
}

std::vector<EndedChild> ServedChildren::reap() {
    std::vector<EndedChild> ended;
    const auto take_ended = [&] {
        const std::lock_guard lock{mutex_};
        for (auto& child : std::exchange(ended_, {}))
            ended.push_back(std::move(child));
    };
    while (const auto reaped = reap_child()) {
        const std::lock_guard lock{mutex_};
        if (entries_.contains(reaped->pid))
            child_ended(reaped->pid, reaped->status);
        else if (starting_ > 0)
            ended_early_.insert_or_assign(reaped->pid, reaped->status);
    }
    take_ended();
    return ended;
}

// The connection ends with the child, unless another process of its group keeps it.
void ServedChildren::child_ended(pid_t pid, WaitStatus status) {
    auto& entry = entries_.at(pid);
    entry.child.status = status;
    look_at(entry);
}

// Never for most servers, because few have limits.
Deadline ServedChildren::first_deadline(const ServedChild& child) const {
    Deadline due = Deadline::never();
    for (const auto& limit : {limits_.longest, limits_.idle, limits_.handshake})
        if (limit) due = std::min(due, after(child.connection.told.started, *limit));
    return due;
}

void ServedChildren::set_due(Entry& entry, Deadline due) {
    const pid_t pid = entry.child.connection.told.pid;
    due_.erase({entry.due, pid});
    entry.due = due;
    if (due.is_never()) return;
    const auto [place, inserted] = due_.emplace(due, pid);
    if (inserted && place == due_.begin()) changed_.signal();
}

void ServedChildren::act_on_deadlines() {
    const std::lock_guard lock{mutex_};
    while (!due_.empty() && due_.begin()->first.passed())
        look_at(entries_.at(due_.begin()->second));
}

void ServedChildren::look_at(Entry& entry) {
    auto& child = entry.child;
    const pid_t pid = child.connection.told.pid;
    if (child.status && !group_holds_socket(pid, child.socket_inode)) {
        due_.erase({entry.due, pid});
        ended_.push_back({std::move(child.connection), *child.status});
        entries_.erase(pid);
        return;
    }
    Deadline due = act_on_limits(entry);
    if (child.status) {
        // Look again from time to time: no event tells us when the last process closes the
        // connection.
        constexpr Duration max_wait = std::chrono::seconds{1};
        due = std::min(due, Deadline::after(entry.look_again_after));
        entry.look_again_after = std::min(2 * entry.look_again_after, max_wait);
    }
    set_due(entry, due);
}

// Returns when to look at the child again.
Deadline ServedChildren::act_on_limits(Entry& entry) {
    const auto& connection = entry.child.connection.told;
    // This child was added after all others had got the signal. Its limits no longer matter.
    if (signal_for_all_) {
        if (entry.signal != signal_for_all_) kill_group_and_wake(connection.pid, *signal_for_all_);
        entry.signal = signal_for_all_;
        were_signalled_ = true;
        return Deadline::never();
    }
    if (!entry.kill_at.is_never()) {
        if (!entry.kill_at.passed()) return entry.kill_at;
        kill_group(connection.pid, SIGKILL);
        return Deadline::never();
    }
    if (limits_.longest && after(connection.started, *limits_.longest).passed())
        return end(entry, fmt::format("not done after {}", seconds_text(*limits_.longest)));
    Deadline due =
        limits_.longest ? after(connection.started, *limits_.longest) : Deadline::never();
    const auto activity = tcp_activity(entry.child.connection);
    if (activity && limits_.handshake && activity->traffic.received == 0) {
        const auto deadline = after(connection.started, *limits_.handshake);
        if (deadline.passed())
            return end(entry, fmt::format("the client said nothing for {}",
                                          seconds_text(*limits_.handshake)));
        due = std::min(due, deadline);
    }
    if (activity && limits_.idle) {
        if (activity->silent >= *limits_.idle)
            return end(entry, fmt::format("idle for {}", seconds_text(*limits_.idle)));
        due = std::min(due, Deadline::after(*limits_.idle - activity->silent));
    }
    return due;
}

Deadline ServedChildren::end(Entry& entry, const std::string& why) {
    const auto& connection = entry.child.connection.told;
    trouble_(fmt::format("ending {} ({}): {}", connection.pid, connection.peer_text(), why));
    kill_group_and_wake(connection.pid, SIGTERM);
    entry.kill_at = Deadline::after(time_from_term_to_kill);
    return entry.kill_at;
}

Deadline ServedChildren::next_deadline() {
    const std::lock_guard lock{mutex_};
    return due_.empty() ? Deadline::never() : due_.begin()->first;
}

void ServedChildren::signal_all(int signal) {
    const std::lock_guard lock{mutex_};
    signal_for_all_ = signal;
    were_signalled_ = were_signalled_ || !entries_.empty();
    for (auto& [pid, entry] : entries_) {
        kill_group_and_wake(pid, signal);
        entry.signal = signal;
    }
}

bool ServedChildren::were_signalled() {
    const std::lock_guard lock{mutex_};
    return were_signalled_;
}

bool ServedChildren::empty() {
    const std::lock_guard lock{mutex_};
    return entries_.empty() && ended_.empty();
}

std::vector<Connection> ServedChildren::connections() {
    std::vector<Connection> all;
    for_each([&all](const ServedChild& child) { all.push_back(child.connection.told); });
    return all;
}

void ServedChildren::for_each(const std::function<void(ServedChild&)>& use) {
    const std::lock_guard lock{mutex_};
    for (auto& [pid, entry] : entries_)
        use(entry.child);
}

} // namespace ipcbox::server
