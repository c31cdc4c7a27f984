// A stream of bytes from one process to another through shared memory: a ring of slots in one
// segment, so that a byte is copied in once and out once, and a semaphore set that says which slots
// are free and which are filled.
//
// Either end can come first; the first one creates the ring. SEM_UNDO lets an end notice that the
// other one died: when a writer dies, the kernel adds one to the filled slots, and when a reader
// dies, one to the free slots. The survivor wakes up, finds that the counters in the segment do not
// match, and so knows.
//
// A ring serves one stream. The reader removes it at the end, or the survivor after a death.
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

    // Removes the ring unless the other end is there. The destructor also does that.
    void abandon() noexcept;

  protected:
    enum class End { writer, reader };

    // Takes the place of END. Throws Error when another process has it, and TimedOut when a process
    // that is joining or leaving does not release the ring in time.
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
    // Subtracts one from SEMAPHORE. Throws TimedOut.
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

    // Waits for the next free slot, for the caller to fill. Throws TimedOut, or Error when the
    // reader died.
    [[nodiscard]] std::span<std::byte> next_slot(Deadline deadline);
    // Passes the first COUNT bytes of that slot, at least one, to the reader.
    void publish(std::size_t count);
    // Announces the end of the data, and waits until the reader has everything. Throws as
    // next_slot() does.
    void finish(Deadline deadline);
};

class ShmRingReader : public ShmRing {
  public:
    explicit ShmRingReader(const Key& key, Deadline deadline = Deadline::never())
        : ShmRing(key, End::reader, deadline) {}

    // The bytes of the next filled slot; empty at the end of the data. They are valid until the
    // next call. Throws TimedOut, or Error when the writer died.
    [[nodiscard]] std::span<const std::byte> next(Deadline deadline);

  private:
    bool holds_slot_ = false;
};

} // namespace ipcbox::sysv
