// All System V objects of our IPC namespace, as the kernel lists them. SEM_STAT_ANY, SHM_STAT_ANY
// and MSG_STAT_ANY need neither /proc nor permission to read the object (Linux 4.17). On older
// kernels, only the objects that we may read are found.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace ipcbox::sysv {

enum class Kind { semaphores, memory, messages };

// "sem", "shm", "msg"; and "semaphore set", "shared memory", "message queue".
[[nodiscard]] std::string_view short_name_of(Kind kind);
[[nodiscard]] std::string_view long_name_of(Kind kind);

struct Object {
    Kind kind = Kind::semaphores;
    int id = 0;
    key_t key = 0; // 0: private, found by its id only
    mode_t mode = 0;
    uid_t owner = 0;
    uid_t creator_user = 0;
    std::time_t changed = 0; // created, or its mode or owner changed
    std::time_t used = 0;    // the last operation; 0 for none yet
    std::uint64_t size = 0;  // semaphores, bytes of a segment, bytes in a queue
    std::uint64_t count = 0; // attachments, messages
    std::uint64_t room = 0;  // the bytes that a queue can take
    pid_t creator = 0;       // of a segment; 0 for a process of another PID namespace
    pid_t last = 0;          // the last to attach or detach, or to send
    pid_t last_receiver = 0; // of a message
    bool is_doomed = false;  // a segment that goes away when no process has it attached any more

    // "sem:12", which names exactly one object.
    [[nodiscard]] std::string handle() const;
    // "0x4d2"; "private".
    [[nodiscard]] std::string key_text() const;
    [[nodiscard]] std::time_t last_change() const { return std::max(changed, used); }
};

// The objects of this kind, in the order of the kernel's table. Throws SysError.
[[nodiscard]] std::vector<Object> all_objects(Kind kind);

// The object as it is now; nothing when it is gone. Throws SysError.
[[nodiscard]] std::optional<Object> find_object(Kind kind, int id);

// The id of the object with this key; nothing when there is none. Throws SysError.
[[nodiscard]] std::optional<int> find_id(Kind kind, key_t key);

// Removes it; false when it was already gone. A segment goes away once no process has it attached.
// Throws SysError.
[[nodiscard]] bool remove_object(Kind kind, int id);

} // namespace ipcbox::sysv
