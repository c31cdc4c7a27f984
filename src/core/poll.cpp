#include "core/poll.h"

#include "core/error.h"
#include "core/syscall.h"

namespace ipcbox {

int poll_until(std::span<pollfd> entries, Deadline deadline) {
    for (;;) {
        const Timeout timeout{deadline};
        const int ready = sys::call("ppoll", ::ppoll, entries.data(),
                                    static_cast<nfds_t>(entries.size()), timeout.get(), nullptr);
        if (ready >= 0) return ready;
        if (errno != EINTR) throw SysError("wait for", "descriptors");
    }
}

bool wait_for(int fd, short events, Deadline deadline) {
    pollfd entry{fd, events, 0};
    return poll_until({&entry, 1}, deadline) > 0;
}

} // namespace ipcbox
