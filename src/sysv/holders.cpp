#include "sysv/holders.h"

#include "core/pidfd.h"
#include "sysv/keeper.h"

#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::sysv {

namespace {

// The kernel rounds both times that we compare.
constexpr auto rounding = std::chrono::seconds{2};

// Asks the kernel, which knows even without /proc, or when /proc hides the process (hidepid).
bool exists(pid_t pid) try { return open_process(pid).has_value(); } catch (const SysError&) {
    return true; // unknown
}

} // namespace

std::string TokenHolder::text() const {
    if (sharers > 1) return fmt::format("{} processes that share it", sharers);
    if (const pid_t owner = kept_for(); owner != 0)
        if (const auto info = find_process(owner)) return info->text();
    if (process) return process->text();
    if (pid == 0) return "a process of another namespace";
    // This was another sharer, which has ended since.
    if (sharers == 1 && !exists(pid)) return "1 process that shares it";
    const bool ended = lease == Lease::until_given && !exists(pid);
    return fmt::format("{}{}", pid, ended ? " (ended)" : "");
}

pid_t TokenHolder::kept_for() const {
    return lease == Lease::until_owner_ends && process ? owner_of_keeper(*process) : 0;
}

TokenHolder holder_of(const SemaphoreSet& set, int semaphore, Lease lease, int sharers) {
    TokenHolder holder{set.last_process(semaphore), lease, std::nullopt, sharers};
    holder.process = find_process(holder.pid);
    // A process that is younger than its supposed action has the pid of another one, which has
    // ended.
    if (lease == Lease::until_given && holder.process &&
        holder.process->started > set.last_operation() + rounding)
        holder.process.reset();
    return holder;
}

bool is_self_or_ancestor(pid_t pid) {
    if (pid == 0) return false;
    if (pid == ::getpid() || pid == ::getppid()) return true;
    auto process = find_process(::getppid());
    while (process && process->parent != pid)
        process = find_process(process->parent);
    return process.has_value();
}

bool is_ourselves(const TokenHolder& holder) {
    switch (holder.lease) {
    case Lease::until_given:
        return false; // any process can give it
    case Lease::until_process_ends:
        return holder.sharers <= 1 && is_self_or_ancestor(holder.pid);
    case Lease::until_owner_ends:
        return is_self_or_ancestor(holder.kept_for());
    }
    return false;
}

std::string text_of(std::span<const TokenHolder> holders) {
    std::string text;
    for (const auto& holder : holders)
        text.append(text.empty() ? "" : ", ").append(holder.text());
    return text.empty() ? "somebody" : text;
}

} // namespace ipcbox::sysv
