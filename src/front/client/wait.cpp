#include "front/client/wait.h"

#include "core/child.h"
#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "net/tls_process.h"
#include "net/unreachable.h"

#include <algorithm>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>
#include <vector>

namespace ipcbox::front {

namespace {

constexpr auto attempt_limit = std::chrono::seconds{3};
constexpr auto first_pause = std::chrono::milliseconds{5};
constexpr auto longest_pause = std::chrono::milliseconds{250};
constexpr std::size_t max_words = 16UL * 1024;

// The pause before the next attempt. Nothing when no time is left for another one. Near the end,
// the pauses get shorter again, so that a server that comes at the last moment is found.
std::optional<Duration> next_pause(Duration wanted, Deadline deadline) {
    const auto left = deadline.remaining();
    if (!left) return wanted;
    if (*left <= first_pause) return std::nullopt;
    return std::min(wanted, std::max<Duration>(*left / 2, first_pause));
}

struct Waiter {
    Child child;
    Fd words; // the reason of a failure comes from here
};

Waiter start_waiter(const std::string& target,
                    const std::function<void(const std::string&)>& wait_for) {
    Pipe pipe = make_pipe();
    const pid_t parent = ::getpid();
    Child child = fork_child([&] {
        Error failure{""};
        try {
            end_with_parent(parent);
            wait_for(target);
            return exit_status::done;
        } catch (const Error& error) {
            failure = error;
        } catch (const std::exception& error) {
            failure = Error{error.what()};
        }
        const std::string_view words = failure.what();
        // The text fits into the pipe, so this does not block. If nobody reads it, our parent has
        // ended.
        write_all(pipe.writer.get(), words.substr(0, max_words), "the reason");
        return failure.status();
    });
    return {std::move(child), std::move(pipe.reader)};
}

// Waits until one of WAITERS has ended, and removes it. If it failed, throws its error.
void take_ended(std::vector<Waiter>& waiters) {
    std::vector<pollfd> entries;
    entries.reserve(waiters.size());
    // A child may have no pidfd. But its pipe has the reason, or its end.
    for (const auto& waiter : waiters)
        entries.push_back({waiter.words.get(), POLLIN, 0});
    (void)poll_until(entries, Deadline::never());
    const auto ended =
        std::ranges::find_if(entries, [](const pollfd& entry) { return entry.revents != 0; });
    const auto at = waiters.begin() + (ended - entries.begin());
    Waiter waiter = std::move(*at);
    waiters.erase(at);
    const auto status = waiter.child.wait();
    if (status.as_exit_status() == exit_status::done) return;
    const auto words = read_to_end(waiter.words.get(), max_words, "why the wait failed");
    throw Error(words.empty() ? "cannot wait: " + status.text() : words, status.as_exit_status());
}

} // namespace

void retry(std::string_view purpose, const std::function<void(Deadline)>& attempt,
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
            if (reason.empty()) reason = timed_out.what();
        }
        const auto now = next_pause(pause, deadline);
        if (!now) throw TimedOut(fmt::format("{}: {}", purpose, reason));
        (void)poll_until({}, Deadline::after(*now));
    }
}

void wait_for_targets(std::span<const std::string> targets, Need need,
                      const std::function<void(const std::string&)>& wait_for) {
    if (targets.size() == 1) return wait_for(targets.front());
    std::vector<Waiter> waiters;
    for (const auto& target : targets)
        waiters.push_back(start_waiter(target, wait_for));
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
