// A System V shared memory segment: shmget(2), shmat(2), shmctl(2).
#pragma once

#include "sysv/key.h"

#include <cstddef>
#include <optional>
#include <span>
#include <sys/types.h>
#include <utility>

namespace ipcbox::sysv {

// The attached bytes of a segment; detached at the end of its life.
class AttachedMemory {
  public:
    AttachedMemory(AttachedMemory&& other) noexcept
        : bytes_(std::exchange(other.bytes_, std::span<std::byte>{})) {}
    AttachedMemory& operator=(AttachedMemory&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~AttachedMemory();

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
    // All bytes from OFFSET on. Throws Error when that is beyond the end.
    [[nodiscard]] std::span<std::byte> from(std::size_t offset) const;

  private:
    friend class SharedMemory;
    explicit AttachedMemory(std::span<std::byte> bytes) : bytes_(bytes) {}

    std::span<std::byte> bytes_;
};

class SharedMemory {
  public:
    enum class Pages { normal, huge };

    // The existing segment with this key, nothing when there is none. Throws Error when a name's
    // key is a stranger's.
    [[nodiscard]] static std::optional<SharedMemory> find(const Key& key);
    // The existing segment with this key. Throws Error when there is none.
    [[nodiscard]] static SharedMemory open(const Key& key);
    // The segment with this id. Throws Error when there is none.
    [[nodiscard]] static SharedMemory with_id(int id);
    // A new segment of SIZE zero bytes; nothing when the key is taken. Under a name it is labelled
    // (a few bytes behind the last one, which size() does not count). Throws Error that names the
    // system's limit when one is reached, and SysError; nothing stays then.
    [[nodiscard]] static std::optional<SharedMemory> create(const Key& key, std::size_t size,
                                                            mode_t mode, Pages pages);
    // A new segment that only its id names.
    [[nodiscard]] static SharedMemory create_private(std::size_t size, mode_t mode);

    [[nodiscard]] int id() const { return id_; }
    // As the user named it: the key, or "id 12".
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::size_t size() const { return size_; }

    enum class Access { read, read_write };
    // Throws SysError "cannot attach".
    [[nodiscard]] AttachedMemory attach(Access access) const;

    // The segment goes away once nobody is attached; new attachments by id are still possible until
    // then (Linux).
    void remove() const;

  private:
    SharedMemory(int id, std::string name, std::size_t size)
        : id_(id), name_(std::move(name)), size_(size) {}

    [[nodiscard]] bool has_label(const Key& key);
    void put_label(const Key& key, mode_t mode);

    int id_;
    std::string name_;
    std::size_t size_;
};

} // namespace ipcbox::sysv
