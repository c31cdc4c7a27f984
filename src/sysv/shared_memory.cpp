#include "sysv/shared_memory.h"

#include "core/error.h"
#include "core/process_info.h"
#include "core/syscall.h"

#include <algorithm>
#include <cstring>
#include <fmt/core.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>

namespace ipcbox::sysv {

namespace {

// A segment with a name ends with these bytes, after those of the user.
using LabelBytes = std::array<std::byte, sizeof(Key::Label)>;

LabelBytes label_bytes(const Key& key) {
    LabelBytes bytes{};
    std::memcpy(bytes.data(), key.label().data(), bytes.size());
    return bytes;
}

[[noreturn]] void throw_memory_error(std::string_view verb, const std::string& name, int error) {
    const auto object = fmt::format("shared memory {}", name);
    switch (error) {
    case EIDRM:
        throw Error(fmt::format("cannot {} {}: it was removed", verb, object));
    case EINVAL: // an unknown id
        throw Error(fmt::format("cannot {} {}: there is no such segment", verb, object));
    default:
        throw SysError(verb, object, error);
    }
}

// shmget(2) has four errors for limits. None of them says which limit.
[[noreturn]] void throw_creation_error(const std::string& name, std::size_t size,
                                       SharedMemory::Pages pages, int error) {
    const auto fail = [&](std::string_view reason) {
        throw Error(
            fmt::format("cannot create shared memory {} of {} bytes: {}", name, size, reason));
    };
    const bool huge = pages == SharedMemory::Pages::huge;
    if (error == EINVAL && size == 0) fail("only a segment under a @name can be empty");
    if (error == EINVAL)
        fail("the system's limit for one segment is smaller (sysctl kernel.shmmax)");
    if (error == ENOSPC)
        fail("the system's limit is reached: all its segments (sysctl kernel.shmmni) or pages "
             "(sysctl kernel.shmall) are in use");
    if (error == ENOMEM && huge)
        fail("not enough huge pages are free (grep HugePages /proc/meminfo; sysctl "
             "vm.nr_hugepages)");
    if (error == ENOMEM)
        fail("the system has less memory, or lends less (free; sysctl vm.overcommit_memory)");
    if (error == EPERM && huge)
        fail("huge pages need CAP_IPC_LOCK or the group of sysctl vm.hugetlb_shm_group");
    throw SysError("create", fmt::format("shared memory {}", name), error);
}

shmid_ds status_of(int id, const std::string& name) {
    shmid_ds status{};
    if (sys::call("shmctl", ::shmctl, id, IPC_STAT, &status) < 0)
        throw_memory_error("find", name, errno);
    return status;
}

// A segment has this mode until its label is written. The kernel keeps the execute bits but ignores
// them, and no other program sets exactly this mode.
constexpr int mode_while_labelling = 0611;

// If the maker dies before it writes the label, the segment keeps this mode and belongs to nobody.
bool is_being_labelled(const shmid_ds& status) {
    constexpr int permissions = 0777;
    return (status.shm_perm.mode & permissions) == mode_while_labelling &&
           find_process(status.shm_cpid);
}

} // namespace

AttachedMemory::~AttachedMemory() {
    if (bytes_.data() != nullptr)
        sys::call("shmdt", ::shmdt, static_cast<const void*>(bytes_.data()));
}

std::span<std::byte> AttachedMemory::from(std::size_t offset) const {
    if (offset > bytes_.size())
        throw Error(
            fmt::format("offset {} is beyond the segment's {} bytes", offset, bytes_.size()));
    return bytes_.subspan(offset);
}

SharedMemory SharedMemory::open(const Key& key) {
    if (auto memory = find(key)) return *std::move(memory);
    throw Error(fmt::format("cannot open shared memory {}: there is no such segment", key.text()));
}

std::optional<SharedMemory> SharedMemory::find(const Key& key) {
    for (;; ::sched_yield()) {
        const int id = sys::call("shmget", ::shmget, key.value(), std::size_t{0}, 0);
        if (id < 0 && errno == ENOENT) return std::nullopt;
        if (id < 0) throw_memory_error("find", key.text(), errno);
        const auto status = status_of(id, key.text());
        SharedMemory memory{id, key.text(), status.shm_segsz};
        if (!key.is_name()) return memory;
        if (is_being_labelled(status)) continue;
        if (memory.has_label(key)) return memory;
        throw Error(fmt::format("cannot use {}: its key {:#x} belongs to another segment (id {})",
                                key.text(), key.value(), id));
    }
}

// If the segment has the label, subtracts the label's bytes from the size.
bool SharedMemory::has_label(const Key& key) {
    const auto label = label_bytes(key);
    if (size_ < label.size()) return false;
    const auto attached = attach(Access::read);
    const auto last = attached.bytes().last(label.size());
    if (!std::ranges::equal(last, label)) return false;
    size_ -= label.size();
    return true;
}

void SharedMemory::put_label(const Key& key, mode_t mode) {
    const auto label = label_bytes(key);
    std::ranges::copy(label, attach(Access::read_write).bytes().last(label.size()).begin());
    set_mode(mode);
    size_ -= label.size();
}

void SharedMemory::set_mode(mode_t mode) const {
    auto status = status_of(id_, name_);
    status.shm_perm.mode = static_cast<unsigned short>(mode);
    if (sys::call("shmctl", ::shmctl, id_, IPC_SET, &status) < 0)
        throw_memory_error("set the mode of", name_, errno);
}

SharedMemory SharedMemory::with_id(int id) {
    const auto name = fmt::format("id {}", id);
    return SharedMemory{id, name, status_of(id, name).shm_segsz};
}

std::optional<SharedMemory> SharedMemory::create(const Key& key, std::size_t size, mode_t mode,
                                                 Pages pages) {
    const std::size_t whole = size + (key.is_name() ? sizeof(LabelBytes) : 0);
    const int flags = IPC_CREAT | IPC_EXCL |
                      (key.is_name() ? mode_while_labelling : static_cast<int>(mode)) |
                      (pages == Pages::huge ? SHM_HUGETLB : 0);
    const int id = sys::call("shmget", ::shmget, key.value(), whole, flags);
    if (id < 0 && errno == EEXIST) return std::nullopt;
    if (id < 0) throw_creation_error(key.text(), size, pages, errno);
    SharedMemory memory{id, key.text(), whole};
    try {
        if (key.is_name()) memory.put_label(key, mode);
    } catch (...) {
        memory.remove(); // without its label, nobody could use or replace it
        throw;
    }
    return memory;
}

SharedMemory SharedMemory::create_private(std::size_t size, mode_t mode) {
    const int id = sys::call("shmget", ::shmget, IPC_PRIVATE, size, static_cast<int>(mode));
    if (id < 0) throw_creation_error("segment", size, Pages::normal, errno);
    return SharedMemory{id, fmt::format("id {}", id), size};
}

AttachedMemory SharedMemory::attach(Access access) const {
    void* const address = sys::call("shmat", ::shmat, id_, static_cast<const void*>(nullptr),
                                    access == Access::read ? SHM_RDONLY : 0);
    if (reinterpret_cast<std::intptr_t>(address) == -1) {
        // EINVAL from shmat(2) means that there is no such id, or not any more.
        throw_memory_error("attach", name_, errno == EINVAL ? EIDRM : errno);
    }
    return AttachedMemory{{static_cast<std::byte*>(address), size_}};
}

void SharedMemory::remove() const {
    if (sys::call("shmctl", ::shmctl, id_, IPC_RMID, static_cast<shmid_ds*>(nullptr)) < 0)
        throw_memory_error("remove", name_, errno);
}

} // namespace ipcbox::sysv
