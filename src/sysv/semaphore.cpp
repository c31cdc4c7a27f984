#include "sysv/semaphore.h"

#include "core/syscall.h"

#include <fmt/core.h>

namespace ipcbox::sysv {

namespace {

// The fourth argument of semctl(2), which callers have to define themselves. We only pass pointers.
union ControlArgument {
    void* pointer;
    int value;
};

int control(int id, int semaphore, int command, void* pointer) {
    return ::semctl(id, semaphore, command, ControlArgument{pointer});
}

[[noreturn]] void throw_semaphore_error(std::string_view verb, const std::string& name, int error) {
    const auto object = fmt::format("semaphore set {}", name);
    switch (error) {
    case EIDRM:
    case EINVAL: // the id was removed before we used it
        throw SetRemoved(fmt::format("cannot {} {}: it was removed", verb, object));
    case ERANGE:
        throw Error(fmt::format("cannot {} {}: its value is at its maximum", verb, object));
    case ENOSPC:
        throw Error(
            fmt::format("cannot {} {}: the system's limit is reached: all its sets (the 4th "
                        "number of sysctl kernel.sem) or semaphores (the 2nd) are in use",
                        verb, object));
    default:
        throw SysError(verb, object, error);
    }
}

} // namespace

std::optional<SemaphoreSet> SemaphoreSet::find(const Key& key) {
    const int id = sys::call("semget", ::semget, key.value(), 0, 0);
    if (id >= 0) return SemaphoreSet{id, key.text()};
    if (errno == ENOENT) return std::nullopt;
    throw_semaphore_error("find", key.text(), errno);
}

std::optional<SemaphoreSet> SemaphoreSet::create(const Key& key, int count, mode_t mode) {
    const int flags = IPC_CREAT | IPC_EXCL | static_cast<int>(mode);
    const int id = sys::call("semget", ::semget, key.value(), count, flags);
    if (id >= 0) return SemaphoreSet{id, key.text()};
    if (errno == EEXIST) return std::nullopt;
    if (errno == EINVAL) // here it does not mean "removed"
        throw Error(
            fmt::format("cannot create semaphore set {} of {} semaphores: the system's limit "
                        "for one set is smaller (SEMMSL, the 1st number of sysctl "
                        "kernel.sem)",
                        key.text(), count));
    throw_semaphore_error("create", key.text(), errno);
}

SemaphoreSet::Outcome SemaphoreSet::operate(std::span<const sembuf> operations, Deadline deadline) {
    const auto operate = [](int id, const sembuf* first, std::size_t count, const timespec* limit) {
        return ::semtimedop(id, const_cast<sembuf*>(first), count, limit);
    };
    // Use IPC_NOWAIT: with a timeout of zero, the kernel would still put us to sleep for as long as
    // timers may be late (50 us, PR_SET_TIMERSLACK).
    std::vector<sembuf> at_once;
    if (deadline.passed()) {
        at_once.assign(operations.begin(), operations.end());
        for (auto& operation : at_once)
            operation.sem_flg |= IPC_NOWAIT;
        operations = at_once;
        deadline = Deadline::never();
    }
    for (;;) {
        const Timeout timeout{deadline};
        if (sys::call("semtimedop", operate, id_, operations.data(), operations.size(),
                      timeout.get()) == 0)
            return Outcome::done;
        if (errno == EAGAIN) return Outcome::would_wait;
        if (errno == E2BIG)
            throw Error(
                fmt::format("cannot use semaphore set {}: it needs {} operations at once, and "
                            "the system allows fewer (SEMOPM, the 3rd number of sysctl "
                            "kernel.sem)",
                            name_, operations.size()));
        if (errno != EINTR) throw_semaphore_error("use", name_, errno);
    }
}

std::vector<unsigned short> SemaphoreSet::values() const {
    return values(static_cast<std::size_t>(count()));
}

std::vector<unsigned short> SemaphoreSet::values(std::size_t count) const {
    std::vector<unsigned short> values(count);
    if (sys::call("semctl", control, id_, 0, GETALL, values.data()) < 0)
        throw_semaphore_error("read", name_, errno);
    return values;
}

int SemaphoreSet::value(int semaphore) const {
    const int value = sys::call("semctl", control, id_, semaphore, GETVAL, nullptr);
    if (value < 0) throw_semaphore_error("read", name_, errno);
    return value;
}

semid_ds SemaphoreSet::status() const {
    semid_ds status{};
    if (sys::call("semctl", control, id_, 0, IPC_STAT, &status) < 0)
        throw_semaphore_error("read", name_, errno);
    return status;
}

int SemaphoreSet::count() const {
    return static_cast<int>(status().sem_nsems);
}

std::chrono::system_clock::time_point SemaphoreSet::last_operation() const {
    return std::chrono::system_clock::from_time_t(status().sem_otime);
}

pid_t SemaphoreSet::last_process(int semaphore) const {
    const int pid = sys::call("semctl", control, id_, semaphore, GETPID, nullptr);
    if (pid < 0) throw_semaphore_error("read", name_, errno);
    return pid;
}

int SemaphoreSet::waiting(int semaphore, int value) const {
    const auto count = [&](int command) {
        const int waiting = sys::call("semctl", control, id_, semaphore, command, nullptr);
        if (waiting < 0) throw_semaphore_error("read", name_, errno);
        return waiting;
    };
    return count(GETNCNT) + (value != 0 ? count(GETZCNT) : 0);
}

void SemaphoreSet::remove() {
    if (sys::call("semctl", control, id_, 0, IPC_RMID, nullptr) < 0)
        throw_semaphore_error("remove", name_, errno);
}

} // namespace ipcbox::sysv
