// A System V semaphore set: semget(2), semop(2), semctl(2). sysv/token_set.h builds tokens on it.
#pragma once

#include "core/deadline.h"
#include "core/error.h"
#include "sysv/key.h"

#include <optional>
#include <span>
#include <sys/sem.h>
#include <sys/types.h>
#include <vector>

namespace ipcbox::sysv {

// The set was removed while it was in use.
class SetRemoved : public Error {
  public:
    using Error::Error;
};

// Operations for SemaphoreSet::operate(). FLAGS are SEM_UNDO and IPC_NOWAIT.
[[nodiscard]] constexpr sembuf wait_for_zero(unsigned short semaphore, short flags = 0) {
    return {semaphore, 0, flags};
}
[[nodiscard]] constexpr sembuf add(unsigned short semaphore, int amount, short flags = 0) {
    return {semaphore, static_cast<short>(amount), flags};
}

class SemaphoreSet {
  public:
    // The existing set with this key; nothing when there is none.
    [[nodiscard]] static std::optional<SemaphoreSet> find(const Key& key);
    // A new set, with every semaphore zero (Linux); nothing when the key is taken.
    [[nodiscard]] static std::optional<SemaphoreSet> create(const Key& key, int count, mode_t mode);

    // The set with this id, which is not checked; NAME is for messages.
    [[nodiscard]] static SemaphoreSet with_id(int id, std::string name) {
        return {id, std::move(name)};
    }

    [[nodiscard]] int id() const { return id_; }
    [[nodiscard]] const std::string& name() const { return name_; }

    enum class Outcome { done, would_wait };
    // Does all operations at once or none, in array order (semop(2)). Waits for those without
    // IPC_NOWAIT until the deadline. Returns would_wait when the deadline passed, or when an
    // operation with IPC_NOWAIT would have to wait. Throws SetRemoved, and SysError for other
    // failures.
    Outcome operate(std::span<const sembuf> operations, Deadline deadline = Deadline::never());

    [[nodiscard]] std::vector<unsigned short> values() const;
    // The same for a set that is known to have COUNT semaphores.
    [[nodiscard]] std::vector<unsigned short> values(std::size_t count) const;
    [[nodiscard]] int value(int semaphore) const;
    [[nodiscard]] int count() const;
    // The process that last changed the semaphore, by its pid in our namespace; 0 for none.
    [[nodiscard]] pid_t last_process(int semaphore) const;
    // How many threads wait for the semaphore, whose value is VALUE, to grow (GETNCNT) or to become
    // zero (GETZCNT). If VALUE is zero, none waits for that.
    [[nodiscard]] int waiting(int semaphore, int value) const;
    // When an operation last succeeded.
    [[nodiscard]] std::chrono::system_clock::time_point last_operation() const;

    void remove();

  private:
    SemaphoreSet(int id, std::string name) : id_(id), name_(std::move(name)) {}

    [[nodiscard]] semid_ds status() const;

    int id_;
    std::string name_;
};

} // namespace ipcbox::sysv
