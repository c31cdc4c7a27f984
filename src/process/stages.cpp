#include "process/stages.h"

#include "core/duration.h"
#include "core/error.h"
#include "core/pidfd.h"
#include "core/poll.h"
#include "core/signals.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace ipcbox::process {

namespace {

// The pieces of TEXT between SEPARATORs. A piece can be empty.
std::vector<std::string_view> pieces(std::string_view text, char separator) {
    std::vector<std::string_view> result;
    for (;;) {
        const auto end = text.find(separator);
        result.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return result;
        text.remove_prefix(end + 1);
    }
}

[[noreturn]] void throw_expected() {
    throw std::invalid_argument("expected stages such as TERM:10s,KILL or TERM/10/KILL/5: each a "
                                "signal and how long to wait");
}

int signal_in(std::string_view text) {
    const auto signal = signal_number(text);
    if (!signal) throw_expected();
    return *signal;
}

Duration wait_in(std::string_view text) {
    const auto wait = duration_in(text);
    if (!wait) throw_expected();
    return *wait;
}

Stages with_slashes(std::string_view text) {
    Stages stages;
    const auto words = pieces(text, '/');
    for (std::size_t at = 0; at < words.size(); at += 2) {
        stages.push_back({signal_in(words[at])});
        if (at + 1 < words.size()) stages.back().wait = wait_in(words[at + 1]);
    }
    return stages;
}

Stages with_commas(std::string_view text) {
    Stages stages;
    for (const auto word : pieces(text, ',')) {
        const auto colon = word.find(':');
        stages.push_back({signal_in(word.substr(0, colon))});
        if (colon != std::string_view::npos) stages.back().wait = wait_in(word.substr(colon + 1));
    }
    return stages;
}

// The processes that have to end. Waits for them, and reports the end of each.
class Group {
  public:
    Group(std::span<const Fd> processes,
          const std::function<void(std::size_t, const Ending&)>& on_end)
        : endings_(processes.size()), on_end_(on_end) {
        for (const auto& process : processes)
            entries_.push_back({process.get(), POLLIN, 0});
    }

    [[nodiscard]] bool is_alive(std::size_t which) const { return entries_[which].fd >= 0; }
    [[nodiscard]] bool has_any() const {
        return std::ranges::any_of(entries_, [](const pollfd& entry) { return entry.fd >= 0; });
    }
    // Waits until all have ended or DEADLINE has passed. SIGNAL is the stage that counts as the
    // cause.
    void wait(int signal, Deadline deadline) {
        while (has_any() && poll_until(entries_, deadline) > 0)
            for (std::size_t which = 0; which < entries_.size(); ++which)
                if (is_alive(which) && entries_[which].revents != 0) end(which, signal);
    }
    // Does not wait for a process that we cannot signal.
    void give_up(std::size_t which, std::string failure) {
        entries_[which].fd = -1;
        endings_[which].failure = std::move(failure);
        on_end_(which, endings_[which]);
    }
    [[nodiscard]] std::vector<Ending> endings() && { return std::move(endings_); }

  private:
    void end(std::size_t which, int signal) {
        entries_[which].fd = -1;
        endings_[which] = {signal, true, Deadline::Clock::now() - start_, {}};
        on_end_(which, endings_[which]);
    }

    std::vector<pollfd> entries_;
    std::vector<Ending> endings_;
    const std::function<void(std::size_t, const Ending&)>& on_end_;
    Deadline::Clock::time_point start_ = Deadline::Clock::now();
};

} // namespace

Stages parse_stages(std::string_view text) {
    auto stages = text.find('/') != std::string_view::npos ? with_slashes(text) : with_commas(text);
    for (std::size_t at = 0; at + 1 < stages.size(); ++at)
        if (!stages[at].wait)
            throw std::invalid_argument(
                fmt::format("expected how long to wait after {0}, such as {0}:10s",
                            signal_name(stages[at].signal)));
    return stages;
}

std::string stages_text(std::span<const Stage> stages) {
    std::string text;
    for (const auto& [signal, wait] : stages) {
        text.append(text.empty() ? "" : ",").append(signal_name(signal));
        if (wait) text.append(fmt::format(":{}", rounded_duration(*wait)));
    }
    return text;
}

bool signal_and_wake(const Fd& pidfd, int signal) {
    if (!try_to_signal(pidfd, signal)) return false;
    if (needs_wake(signal)) (void)try_to_signal(pidfd, SIGCONT);
    return true;
}

std::vector<Ending> end_in_stages(std::span<const Fd> processes, std::span<const Stage> stages,
                                  const std::function<void(std::size_t, const Ending&)>& on_end) {
    Group group{processes, on_end};
    group.wait(0, Deadline::after(Duration::zero()));
    for (const auto& [signal, wait] : stages) {
        if (!group.has_any()) break;
        for (std::size_t which = 0; which < processes.size(); ++which)
            try {
                if (group.is_alive(which)) (void)signal_and_wake(processes[which], signal);
            } catch (const SysError& error) {
                group.give_up(which, std::string{error_text(error.error())});
            }
        group.wait(signal, Deadline::after_or_never(wait));
    }
    return std::move(group).endings();
}

} // namespace ipcbox::process
