#include "commands/rates.h"

#include "core/error.h"
#include "core/syscall.h"

#include <algorithm>
#include <atomic>
#include <sys/mman.h>

namespace ipcbox::commands {

std::optional<std::int64_t> after_one_more(std::int64_t served_until, const Rate& rate,
                                           std::int64_t now) {
    const auto interval = rate.window.count() / rate.count;
    const auto from = std::max(served_until, now);
    if (from - now > rate.window.count() - interval) return std::nullopt;
    return from + interval;
}

Rates::~Rates() {
    if (moments_ != nullptr) sys::call("munmap", ::munmap, static_cast<void*>(moments_), size);
}

bool Rates::allows(std::size_t index, const Rate& rate) {
    if (moments_ == nullptr) {
        void* const memory = sys::call("mmap", ::mmap, nullptr, size, PROT_READ | PROT_WRITE,
                                       MAP_SHARED, file_, off_t{0});
        if (memory == MAP_FAILED) throw SysError("map", "the rates of the commands");
        moments_ = static_cast<std::int64_t*>(memory);
    }
    // All processes of the machine have the same monotonic clock.
    const auto now = Deadline::Clock::now().time_since_epoch().count();
    const std::atomic_ref moment{moments_[index]};
    auto served_until = moment.load();
    for (;;) {
        const auto next = after_one_more(served_until, rate, now);
        if (!next) return false;
        if (moment.compare_exchange_weak(served_until, *next)) return true;
    }
}

} // namespace ipcbox::commands
