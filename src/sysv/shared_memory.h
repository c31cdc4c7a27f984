// A System V shared memory segment: shmget(2), shmat(2), shmctl(2).
#pragma once

#include "sysv/key.h"

#include <cstddef>
#include <optional>
#include <span>
#include <sys/types.h>
#include <utility>

namespace ipcbox::sysv {

// The attached bytes of a segment. The destructor detaches them.
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
    // All bytes from OFFSET on. Throws Error when OFFSET is beyond the end.
    [[nodiscard]] std::span<std::byte> from(std::size_t offset) const;

  private:
    friend class SharedMemory;
    explicit AttachedMemory(std::span<std::byte> bytes) : bytes_(bytes) {}

    std::span<std::byte> bytes_;
};

class SharedMemory {
  public:
    enum class Pages { normal, huge };

    // The existing segment with this key; nothing when there is none. Throws Error when another
    // program uses the key of a name.
    [[nodiscard]] static std::optional<SharedMemory> find(const Key& key);
    // The existing segment with this key. Throws Error when there is none.
    [[nodiscard]] static SharedMemory open(const Key& key);
    // The segment with this id. Throws Error when there is none.
    [[nodiscard]] static SharedMemory with_id(int id);
    // Creates a segment of SIZE zero bytes; nothing when the key is taken. Under a name, the
    // segment gets a label, a few bytes after the last one, which size() does not count. Throws an
    // Error that names the system's limit if one is reached, and SysError. Then no segment stays.
    [[nodiscard]] static std::optional<SharedMemory> create(const Key& key, std::size_t size,
                                                            mode_t mode, Pages pages);
    // Creates a segment that only its id names.
    [[nodiscard]] static SharedMemory create_private(std::size_t size, mode_t mode);

    [[nodiscard]] int id() const { return id_; }
    // The name by which the user asked for it: the key, or "id 12".
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::size_t size() const { return size_; }

    enum class Access { read, read_write };
    // Throws SysError "cannot attach".
    [[nodiscard]] AttachedMemory attach(Access access) const;

    // Throws Error.
    void set_mode(mode_t mode) const;

    // Lets the segment go away once no process has it attached. Until then, processes can still
    // attach it by its id (Linux).
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
