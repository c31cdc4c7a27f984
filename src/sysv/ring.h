// A stream of bytes from one process to another through shared memory: a ring of slots in one
// segment, so that a byte is copied in once and out once, and a semaphore set that says which slots
// are free and which are filled.
//
// Each end may come first; the first one makes the ring. What an end would need to notice that the
// other one died is put into the kernel's hands by SEM_UNDO: at a writer's death it adds one to the
// filled slots, at a reader's one to the free ones. The survivor wakes up, finds that the counters
// in the segment do not agree, and knows.
//
// A ring serves one stream. Its reader removes it at the end, the survivor after a death.
#pragma once

#include "core/deadline.h"
#include "sysv/semaphore.h"
#include "sysv/shared_memory.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ipcbox::sysv {

// What both ends have in common.
class ShmRing {
  public:
    static constexpr std::size_t slots = 8;
    static constexpr std::size_t slot_size = 1024UL * 1024;

    ShmRing(const ShmRing&) = delete;
    ShmRing& operator=(const ShmRing&) = delete;

    // Removes the ring unless the other end is there. The destructor does it too.
    void abandon() noexcept;

  protected:
    enum class End { writer, reader };

    // Takes the place of END. Throws Error when another process has it, TimedOut when a process
    // that is about to join or to leave does not let go of the ring in time.
    ShmRing(const Key& key, End end, Deadline deadline);
    ~ShmRing() { abandon(); }

    struct Header;
    struct Parts {
        SemaphoreSet set;
        SharedMemory memory;
        AttachedMemory attached;
        [[nodiscard]] Header& header() const;
    };

    static void lock_ring(Parts& parts, Deadline deadline);
    static void remove(Parts& parts);
    [[nodiscard]] std::span<std::byte> slot(std::uint64_t turn) const;
    // Takes one of SEMAPHORE's units. Throws TimedOut.
    void take(unsigned short semaphore, Deadline deadline);
    void add(unsigned short semaphore);

    std::string name_;
    End end_;
    Parts parts_;

  private:
    [[nodiscard]] static Parts make_or_find(const Key& key);
    static void reset(Parts& parts);
    static void take_place(Parts& parts, const Key& key, End end);
    static void release(Parts& parts, int ours);
    [[nodiscard]] static Parts join(const Key& key, End end, Deadline deadline);
};

class ShmRingWriter : public ShmRing {
  public:
    explicit ShmRingWriter(const Key& key, Deadline deadline = Deadline::never())
        : ShmRing(key, End::writer, deadline) {}

    // The next free slot, to be filled. Throws TimedOut, or Error when the reader died.
    [[nodiscard]] std::span<std::byte> next_slot(Deadline deadline);
    // Hands that slot with its first COUNT bytes, at least one, to the reader.
    void publish(std::size_t count);
    // Says that this was all, and waits until the reader has it. Throws as next_slot does.
    void finish(Deadline deadline);
};

class ShmRingReader : public ShmRing {
  public:
    explicit ShmRingReader(const Key& key, Deadline deadline = Deadline::never())
        : ShmRing(key, End::reader, deadline) {}

    // The bytes of the next filled slot, empty at the end of the data. They are good until the next
    // call. Throws TimedOut, or Error when the writer died.
    [[nodiscard]] std::span<const std::byte> next(Deadline deadline);

  private:
    bool holds_slot_ = false;
};

} // namespace ipcbox::sysv
