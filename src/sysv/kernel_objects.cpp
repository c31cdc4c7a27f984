#include "sysv/kernel_objects.h"

#include "core/error.h"
#include "core/syscall.h"

#include <algorithm>
#include <fmt/core.h>
#include <functional>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

namespace ipcbox::sysv {

namespace {

constexpr mode_t permissions = 0777;

// The fourth argument of semctl(2).
int control_set(int id, int command, void* into) {
    const auto control = [](int set, int semaphore, int what, void* argument) {
        union {
            void* pointer;
            int value;
        } last{argument};
        return ::semctl(set, semaphore, what, last);
    };
    return sys::call("semctl", control, id, 0, command, into);
}

int control_segment(int id, int command, void* into) {
    return sys::call("shmctl", ::shmctl, id, command, static_cast<shmid_ds*>(into));
}

int control_queue(int id, int command, void* into) {
    return sys::call("msgctl", ::msgctl, id, command, static_cast<msqid_ds*>(into));
}

Object common(Kind kind, int id, const ipc_perm& permission, std::time_t changed) {
    Object object;
    object.kind = kind;
    object.id = id;
    object.key = permission.__key;
    object.mode = permission.mode & permissions;
    object.owner = permission.uid;
    object.creator_user = permission.cuid;
    object.changed = changed;
    return object;
}

Object as_object(int id, const semid_ds& set) {
    auto object = common(Kind::semaphores, id, set.sem_perm, set.sem_ctime);
    object.used = set.sem_otime;
    object.size = set.sem_nsems;
    return object;
}

Object as_object(int id, const shmid_ds& segment) {
    constexpr unsigned doomed = 01000; // SHM_DEST
    auto object = common(Kind::memory, id, segment.shm_perm, segment.shm_ctime);
    object.used = std::max(segment.shm_atime, segment.shm_dtime);
    object.size = segment.shm_segsz;
    object.count = segment.shm_nattch;
    object.creator = segment.shm_cpid;
    object.last = segment.shm_lpid;
    object.is_doomed = (segment.shm_perm.mode & doomed) != 0;
    return object;
}

Object as_object(int id, const msqid_ds& queue) {
    auto object = common(Kind::messages, id, queue.msg_perm, queue.msg_ctime);
    object.used = std::max(queue.msg_stime, queue.msg_rtime);
    object.size = queue.__msg_cbytes;
    object.count = queue.msg_qnum;
    object.room = queue.msg_qbytes;
    object.last = queue.msg_lspid;
    object.last_receiver = queue.msg_lrpid;
    return object;
}

using Control = int (*)(int, int, void*);

// The kernel's commands for one kind of object.
struct Commands {
    Control control;
    int info; // the highest place in use
    int any;  // the status of a place
    int own;  // the same, if we may read the object
};

template <class Status> std::vector<Object> list(Kind kind, const Commands& commands) {
    // Large enough for each structure of limits.
    std::array<std::uint64_t, 32> limits{};
    const int last = commands.control(0, commands.info, limits.data());
    if (last < 0) throw SysError("list", fmt::format("every {}", long_name_of(kind)));
    std::vector<Object> objects;
    objects.reserve(static_cast<std::size_t>(last) + 1);
    int command = commands.any;
    for (int place = 0; place <= last; ++place) {
        Status status{};
        int id = commands.control(place, command, &status);
        // EINVAL can mean that the place is empty, or that the kernel does not know this command.
        if (id < 0 && errno == EINVAL && command == commands.any && objects.empty()) {
            id = commands.control(place, commands.own, &status);
            if (id >= 0) command = commands.own;
        }
        if (id >= 0)
            objects.push_back(as_object(id, status));
        else if (errno != EINVAL && errno != EIDRM && errno != EACCES)
            throw SysError("list", fmt::format("every {}", long_name_of(kind)));
    }
    return objects;
}

template <class Status> std::optional<Object> find(Kind kind, Control control, int id) {
    Status status{};
    if (control(id, IPC_STAT, &status) >= 0) return as_object(id, status);
    if (errno == EINVAL || errno == EIDRM) return std::nullopt;
    const int error = errno;
    if (error == EACCES) // the list needs no permission
        for (const auto& object : all_objects(kind))
            if (object.id == id) return object;
    throw SysError("find", fmt::format("{} {}", long_name_of(kind), id), error);
}

constexpr Commands set_commands{control_set, SEM_INFO, SEM_STAT_ANY, SEM_STAT};
constexpr Commands segment_commands{control_segment, SHM_INFO, SHM_STAT_ANY, SHM_STAT};
constexpr Commands queue_commands{control_queue, MSG_INFO, MSG_STAT_ANY, MSG_STAT};

Control control_of(Kind kind) {
    switch (kind) {
    case Kind::semaphores:
        return control_set;
    case Kind::memory:
        return control_segment;
    case Kind::messages:
        break;
    }
    return control_queue;
}

} // namespace

std::string_view short_name_of(Kind kind) {
    return kind == Kind::semaphores ? "sem" : kind == Kind::memory ? "shm" : "msg";
}

std::string_view long_name_of(Kind kind) {
    return kind == Kind::semaphores ? "semaphore set"
           : kind == Kind::memory   ? "shared memory"
                                    : "message queue";
}

std::string Object::handle() const {
    return std::string{short_name_of(kind)}.append(1, ':').append(std::to_string(id));
}

std::string Object::key_text() const {
    return key == IPC_PRIVATE ? "private" : fmt::format("{:#x}", static_cast<std::uint32_t>(key));
}

std::vector<Object> all_objects(Kind kind) {
    switch (kind) {
    case Kind::semaphores:
        return list<semid_ds>(kind, set_commands);
    case Kind::memory:
        return list<shmid_ds>(kind, segment_commands);
    case Kind::messages:
        break;
    }
    return list<msqid_ds>(kind, queue_commands);
}

std::optional<Object> find_object(Kind kind, int id) {
    switch (kind) {
    case Kind::semaphores:
        return find<semid_ds>(kind, control_set, id);
    case Kind::memory:
        return find<shmid_ds>(kind, control_segment, id);
    case Kind::messages:
        break;
    }
    return find<msqid_ds>(kind, control_queue, id);
}

std::optional<int> find_id(Kind kind, key_t key) {
    int id = -1;
    switch (kind) {
    case Kind::semaphores:
        id = sys::call("semget", ::semget, key, 0, 0);
        break;
    case Kind::memory:
        id = sys::call("shmget", ::shmget, key, std::size_t{0}, 0);
        break;
    case Kind::messages:
        id = sys::call("msgget", ::msgget, key, 0);
        break;
    }
    if (id >= 0) return id;
    if (errno == ENOENT) return std::nullopt;
    throw SysError("find", fmt::format("{} {:#x}", long_name_of(kind), key));
}

bool remove_object(Kind kind, int id) {
    if (control_of(kind)(id, IPC_RMID, nullptr) >= 0) return true;
    if (errno == EINVAL || errno == EIDRM) return false;
    throw SysError("remove", fmt::format("{} {}", long_name_of(kind), id));
}

} // namespace ipcbox::sysv
