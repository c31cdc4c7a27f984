#include "core/sysv_shared_memory.h"

#include "core/error.h"
#include "core/syscall.h"

#include <cstring>
#include <fmt/core.h>
#include <sys/ipc.h>
#include <sys/shm.h>

namespace ipcbox {

namespace {

// What stands behind the last byte of a segment that was made under a name.
using LabelBytes = std::array<std::byte, sizeof(SysvKey::Label)>;

LabelBytes label_bytes(const SysvKey& key) {
    LabelBytes bytes{};
    std::memcpy(bytes.data(), key.label().data(), bytes.size());
    return bytes;
}

[[noreturn]] void throw_memory_error(std::string_view verb, const std::string& name, int error) {
    const auto object = fmt::format("shared memory {}", name);
    switch (error) {
    case EIDRM:
        throw Error(fmt::format("cannot {} {}: it was removed", verb, object));
    case ENOSPC:
        throw Error(
            fmt::format("cannot {} {}: the system's limit is reached (sysctl kernel.shmmni, "
                        "kernel.shmall)",
                        verb, object));
    default:
        throw SysError(verb, object, error);
    }
}

std::size_t size_of(int id, const std::string& name) {
    shmid_ds status{};
    if (sys::call("shmctl", ::shmctl, id, IPC_STAT, &status) < 0)
        throw_memory_error("find", name, errno);
    return status.shm_segsz;
}

} // namespace

AttachedMemory::~AttachedMemory() {
    if (!bytes_.empty()) sys::call("shmdt", ::shmdt, static_cast<const void*>(bytes_.data()));
}

std::span<std::byte> AttachedMemory::from(std::size_t offset) const {
    if (offset > bytes_.size())
        throw Error(
            fmt::format("offset {} is beyond the segment's {} bytes", offset, bytes_.size()));
    return bytes_.subspan(offset);
}

SharedMemory SharedMemory::open(const SysvKey& key) {
    if (auto memory = find(key)) return *std::move(memory);
    throw Error(fmt::format("cannot open shared memory {}: there is no such segment", key.text()));
}

std::optional<SharedMemory> SharedMemory::find(const SysvKey& key) {
    const int id = sys::call("shmget", ::shmget, key.value(), std::size_t{0}, 0);
    if (id < 0 && errno == ENOENT) return std::nullopt;
    if (id < 0) throw_memory_error("find", key.text(), errno);
    const std::size_t whole = size_of(id, key.text());
    if (!key.is_name()) return SharedMemory{id, key.text(), whole};
    const auto label = label_bytes(key);
    if (whole > label.size()) {
        SharedMemory memory{id, key.text(), whole};
        const auto attached = memory.attach(Access::read);
        memory.size_ = whole - label.size();
        if (std::memcmp(attached.bytes().data() + memory.size_, label.data(), label.size()) == 0)
            return memory;
    }
    throw Error(fmt::format("cannot use {}: its key {:#x} belongs to another segment (id {})",
                            key.text(), key.value(), id));
}

SharedMemory SharedMemory::with_id(int id) {
    const auto name = fmt::format("id {}", id);
    return SharedMemory{id, name, size_of(id, name)};
}

std::optional<SharedMemory> SharedMemory::create(const SysvKey& key, std::size_t size, mode_t mode,
                                                 Pages pages) {
    const auto label = label_bytes(key);
    const std::size_t whole = size + (key.is_name() ? label.size() : 0);
    const int flags =
        IPC_CREAT | IPC_EXCL | static_cast<int>(mode) | (pages == Pages::huge ? SHM_HUGETLB : 0);
    const int id = sys::call("shmget", ::shmget, key.value(), whole, flags);
    if (id < 0 && errno == EEXIST) return std::nullopt;
    if (id < 0) throw_memory_error("create", key.text(), errno);
    SharedMemory memory{id, key.text(), whole};
    if (key.is_name()) {
        const auto attached = memory.attach(Access::read_write);
        memory.size_ = size;
        std::memcpy(attached.bytes().data() + size, label.data(), label.size());
    }
    return memory;
}

SharedMemory SharedMemory::create_private(std::size_t size, mode_t mode) {
    const int id = sys::call("shmget", ::shmget, IPC_PRIVATE, size, static_cast<int>(mode));
    if (id < 0) throw_memory_error("create", "segment", errno);
    return SharedMemory{id, fmt::format("id {}", id), size};
}

AttachedMemory SharedMemory::attach(Access access) const {
    void* const address = sys::call("shmat", ::shmat, id_, static_cast<const void*>(nullptr),
                                    access == Access::read ? SHM_RDONLY : 0);
    if (reinterpret_cast<std::intptr_t>(address) == -1) {
        // shmat(2) says EINVAL for an id that is not (or no longer) there.
        throw_memory_error("attach", name_, errno == EINVAL ? EIDRM : errno);
    }
    return AttachedMemory{{static_cast<std::byte*>(address), size_}};
}

void SharedMemory::remove() const {
    if (sys::call("shmctl", ::shmctl, id_, IPC_RMID, static_cast<shmid_ds*>(nullptr)) < 0)
        throw_memory_error("remove", name_, errno);
}

} // namespace ipcbox
