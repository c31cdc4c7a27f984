// How much of the kernel's limits is used: SEM_INFO, SHM_INFO, MSG_INFO and IPC_INFO of semctl(2),
// shmctl(2) and msgctl(2), for our IPC namespace.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ipcbox::sysv {

struct Limit {
    std::string_view name;   // "semmni"
    std::string_view what;   // "semaphore sets"
    std::string_view sysctl; // "the 4th number of kernel.sem"
    std::uint64_t used = 0;
    std::uint64_t max = 0;

    [[nodiscard]] double percent() const {
        return max == 0 ? 0 : 100.0 * static_cast<double>(used) / static_cast<double>(max);
    }
};

// Throws SysError.
[[nodiscard]] std::vector<Limit> read_limits();

} // namespace ipcbox::sysv
