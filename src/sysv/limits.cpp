#include "sysv/limits.h"

#include "core/error.h"
#include "core/syscall.h"
#include "sysv/kernel_objects.h"

#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

namespace ipcbox::sysv {

namespace {

std::uint64_t number(auto value) {
    return static_cast<std::uint64_t>(value);
}

seminfo semaphore_info() {
    seminfo info{};
    const auto ask = [](int id, int semaphore, int command, seminfo* into) {
        return ::semctl(id, semaphore, command, into);
    };
    if (sys::call("semctl", ask, 0, 0, SEM_INFO, &info) < 0)
        throw SysError("read", "the limits of semaphores");
    return info;
}

template <class Info> Info memory_info(int command) {
    Info info{};
    const auto ask = [](int id, int what, Info* into) {
        return ::shmctl(id, what, reinterpret_cast<shmid_ds*>(into));
    };
    if (sys::call("shmctl", ask, 0, command, &info) < 0)
        throw SysError("read", "the limits of shared memory");
    return info;
}

msginfo message_info() {
    msginfo info{};
    const auto ask = [](int id, int what, msginfo* into) {
        return ::msgctl(id, what, reinterpret_cast<msqid_ds*>(into));
    };
    if (sys::call("msgctl", ask, 0, MSG_INFO, &info) < 0)
        throw SysError("read", "the limits of message queues");
    return info;
}

// The queue that has used the largest part of its limit.
Limit fullest_queue() {
    Limit fullest{"msgmnb", "bytes in the fullest message queue", "kernel.msgmnb", 0, 0};
    for (const auto& queue : all_objects(Kind::messages)) {
        const Limit one{fullest.name, fullest.what, fullest.sysctl, queue.size, queue.room};
        if (fullest.max == 0 || one.percent() > fullest.percent()) fullest = one;
    }
    if (fullest.max == 0) fullest.max = number(message_info().msgmnb);
    return fullest;
}

} // namespace

std::vector<Limit> read_limits() {
    // The used amounts come from SEM_INFO, SHM_INFO and MSG_INFO. The same fields mean something
    // else after IPC_INFO.
    const auto sets = semaphore_info();
    const auto segments = memory_info<shm_info>(SHM_INFO);
    const auto memory = memory_info<shminfo>(IPC_INFO);
    const auto queues = message_info();
    return {
        {"semmni", "semaphore sets", "the 4th number of kernel.sem", number(sets.semusz),
         number(sets.semmni)},
        {"semmns", "semaphores in all sets", "the 2nd number of kernel.sem", number(sets.semaem),
         number(sets.semmns)},
        {"shmmni", "shared memory segments", "kernel.shmmni", number(segments.used_ids),
         memory.shmmni},
        {"shmall", "pages of shared memory", "kernel.shmall", segments.shm_tot, memory.shmall},
        {"msgmni", "message queues", "kernel.msgmni", number(queues.msgpool),
         number(queues.msgmni)},
        fullest_queue(),
    };
}

} // namespace ipcbox::sysv
