#include "front/ipc/held_process.h"

#include "core/poll.h"
#include "core/process_stat.h"
#include "process/identity.h"

#include <utility>

namespace ipcbox::front {

HeldProcess::HeldProcess(const process::Root& process) : process_(process) {
    if (auto found = process::find({process.pid, process.start_ticks}))
        handle_ = std::move(found->handle);
}

bool HeldProcess::has_ended() const {
    return !handle_ || wait_for(handle_.get(), POLLIN, Deadline::after(Duration::zero()));
}

const std::vector<process::Root>& HeldProcess::family() {
    if (family_.empty()) {
        family_ = process::roots_of(process::descendants_of(process_.pid));
        family_.push_back(process_);
    }
    std::erase_if(family_, [](const process::Root& root) {
        const auto stat = read_process_stat(root.pid);
        return !stat || stat->has_ended() || stat->start_ticks != root.start_ticks;
    });
    return family_;
}

} // namespace ipcbox::front
