// Objects that processes share by a name in a file system: POSIX shared memory and semaphores
// (files in /dev/shm: shm_overview(7), sem_overview(7)), POSIX message queues (mq_overview(7)), and
// FIFOs that a process has open (fifo(7)).
#pragma once

#include "core/process_info.h"

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace ipcbox::sysv {

struct NamedUser {
    enum class Does { maps, opens, reads, writes } does = Does::maps;
    pid_t pid = 0;
    std::optional<ProcessInfo> process = {}; // nothing when it has ended meanwhile
};

struct NamedObject {
    enum class Kind { memory, semaphore, queue, fifo } kind = Kind::memory;
    std::string name{}; // "/build"; the path of a FIFO
    dev_t device = 0;
    ino_t inode = 0;
    uid_t owner = 0;
    mode_t mode = 0;
    std::time_t changed = 0;
    std::uint64_t size = 0;          // bytes; of a queue, those that wait in it
    std::optional<unsigned> value{}; // of a semaphore that we may read
    unsigned waiting = 0;            // for the semaphore
    std::vector<NamedUser> users{};
    bool may_have_more = true; // not all processes could be seen
};

// "memory", "semaphore", "queue", "fifo"
[[nodiscard]] std::string_view name_of(NamedObject::Kind kind);
// "maps", "opens", "reads", "writes"
[[nodiscard]] std::string_view name_of(NamedUser::Does does);

// The files in DIRECTORY (/dev/shm), by name. A directory that is missing has none. Throws
// SysError.
[[nodiscard]] std::vector<NamedObject> memory_files(const std::string& directory);

// The message queues below MOUNT (/dev/mqueue), by name; nothing when that file system is not
// mounted there, so that they cannot be listed. A kernel without it has none. Throws SysError.
[[nodiscard]] std::optional<std::vector<NamedObject>> message_queues(const std::string& mount);

// The FIFOs that processes have open, with these processes, by path.
[[nodiscard]] std::vector<NamedObject> open_fifos();

// Finds the processes that map OBJECTS or have them open.
void add_users(std::vector<NamedObject>& objects);

// The value and the number of waiting threads, from the bytes of a semaphore in glibc's form.
struct SemaphoreFile {
    unsigned value = 0;
    unsigned waiting = 0;
};
[[nodiscard]] std::optional<SemaphoreFile> parse_semaphore_file(std::string_view bytes);
// The number of bytes that wait in a queue, from "QSIZE:129 NOTIFY:0 …".
[[nodiscard]] std::optional<std::uint64_t> parse_queue_file(std::string_view text);
// How a descriptor is open, from its /proc/PID/fdinfo: O_RDONLY, O_WRONLY or O_RDWR.
[[nodiscard]] std::optional<int> parse_open_mode(std::string_view text);

} // namespace ipcbox::sysv
