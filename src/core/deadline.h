// A point in monotonic time after which a call gives up. Every blocking call of the core takes one
// as its last parameter, so that a caller's limit holds over any number of steps and retries.
#pragma once

#include <chrono>
#include <ctime>
#include <optional>

namespace ipcbox {

using Duration = std::chrono::nanoseconds;

// A duration as people and JSON write it: seconds, with a fraction.
[[nodiscard]] constexpr double in_seconds(Duration duration) {
    return std::chrono::duration<double>{duration}.count();
}

class Deadline {
  public:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] static constexpr Deadline never() { return Deadline{Clock::time_point::max()}; }
    // A duration too long to add to the clock is never().
    [[nodiscard]] static Deadline after(Duration duration);
    [[nodiscard]] static Deadline after_or_never(std::optional<Duration> duration);

    [[nodiscard]] bool is_never() const { return when_ == Clock::time_point::max(); }
    [[nodiscard]] bool passed() const { return !is_never() && Clock::now() >= when_; }
    // Never negative; nothing for never().
    [[nodiscard]] std::optional<Duration> remaining() const;

    // clang-tidy 14 takes the 0 that a rewritten < compares with for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend constexpr auto operator<=>(const Deadline&, const Deadline&) = default;

  private:
    explicit constexpr Deadline(Clock::time_point when) : when_(when) {}

    Clock::time_point when_;
};

// What is left of a deadline in the form that ppoll(2) and semtimedop(2) take: a pointer to a
// relative timespec, null for never.
class Timeout {
  public:
    explicit Timeout(Deadline deadline);

    [[nodiscard]] const timespec* get() const { return endless_ ? nullptr : &spec_; }

  private:
    timespec spec_{};
    bool endless_;
};

} // namespace ipcbox
