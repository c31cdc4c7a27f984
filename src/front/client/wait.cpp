#include "front/client/wait.h"

#include "core/error.h"
#include "core/poll.h"
#include "front/client/reporting_child.h"
#include "net/tls_process.h"
#include "net/unreachable.h"

#include <algorithm>
#include <fmt/core.h>
#include <poll.h>
#include <string_view>
#include <vector>

namespace ipcbox::front {

namespace {

constexpr auto attempt_limit = std::chrono::seconds{3};
constexpr auto first_pause = std::chrono::milliseconds{5};
constexpr auto longest_pause = std::chrono::milliseconds{250};

// The pause before the next attempt. Nothing when no time is left for another one. Near the end,
// the pauses get shorter again, so that a server that comes at the last moment is found.
std::optional<Duration> next_pause(Duration wanted, Deadline deadline) {
    const auto left = deadline.remaining();
    if (!left) return wanted;
    if (*left <= first_pause) return std::nullopt;
    return std::min(wanted, std::max<Duration>(*left / 2, first_pause));
}

// The text of an error that becomes the reason of another one of its kind.
std::string_view without_prefix(const TimedOut& timed_out) {
    constexpr std::string_view prefix = "timed out: ";
    std::string_view text = timed_out.what();
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    return text;
}

// Waits until one of WAITERS has ended, and removes it. If it failed, throws its error.
void take_ended(std::vector<ReportingChild>& waiters) {
    std::vector<pollfd> entries;
    entries.reserve(waiters.size());
    for (const auto& waiter : waiters)
        entries.push_back({waiter.fd(), POLLIN, 0});
    (void)poll_until(entries, Deadline::never());
    const auto ended =
        std::ranges::find_if(entries, [](const pollfd& entry) { return entry.revents != 0; });
    const auto at = waiters.begin() + (ended - entries.begin());
    ReportingChild waiter = std::move(*at);
    waiters.erase(at);
    waiter.finish();
}

} // namespace

void retry(std::string_view problem, const std::function<void(Deadline)>& attempt,
           Deadline deadline) {
    std::string reason;
    for (Duration pause = first_pause;; pause = std::min<Duration>(pause * 3 / 2, longest_pause)) {
        try {
            return attempt(std::min(deadline, Deadline::after(attempt_limit)));
        } catch (const net::Unreachable& unreachable) {
            reason = unreachable.what();
        } catch (const net::TlsError& error) {
            if (!error.is_broken_handshake()) throw;
            reason = error.what();
        } catch (const TimedOut& timed_out) {
            // Our own deadline cut this attempt off. An earlier attempt has a better reason.
            if (reason.empty()) reason = without_prefix(timed_out);
        }
        const auto now = next_pause(pause, deadline);
        if (!now) throw TimedOut(fmt::format("{}: {}", problem, reason));
        (void)poll_until({}, Deadline::after(*now));
    }
}

void wait_for_targets(std::span<const std::string> targets, Need need,
                      const std::function<void(const std::string&)>& wait_for) {
    if (targets.size() == 1) return wait_for(targets.front());
    std::vector<ReportingChild> waiters;
    for (const auto& target : targets)
        waiters.emplace_back([&] { wait_for(target); });
    std::string reasons;
    while (!waiters.empty()) {
        try {
            take_ended(waiters);
            if (need == Need::any) return;
        } catch (const Error& error) {
            if (need == Need::all) throw;
            reasons.append(reasons.empty() ? "" : "; ").append(error.what());
            if (waiters.empty()) throw Error(reasons, error.status());
        }
    }
}

} // namespace ipcbox::front
