#include "core/once_per.h"

namespace ipcbox {

bool OncePer::is_due() noexcept {
    const auto now = Deadline::Clock::now().time_since_epoch().count();
    auto due = due_.load();
    return now >= due && due_.compare_exchange_strong(due, now + period_.count());
}

} // namespace ipcbox
