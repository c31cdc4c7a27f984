#include "sysv/ring.h"

#include "core/error.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <optional>

namespace ipcbox::sysv {

namespace {

enum Semaphore : unsigned short { lock, free_slots, filled_slots, writer, reader, first_label };
constexpr int semaphore_count = first_label + std::tuple_size_v<Key::Label>;
constexpr mode_t owner_only = 0600;
constexpr std::size_t page_size = 4096;

constexpr sembuf operation(unsigned short semaphore, int amount, int flags = 0) {
    return {semaphore, static_cast<short>(amount), static_cast<short>(flags)};
}

// The parts of a ring that is not complete yet. They are removed if the rest cannot be made.
struct Unfinished {
    std::optional<SemaphoreSet> set = {};
    std::optional<SharedMemory> memory = {};

    Unfinished() = default;
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    ~Unfinished() {
        try {
            if (memory) memory->remove();
            if (set) set->remove();
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): somebody else removed it
        }
    }
};

constexpr sembuf unlock = operation(lock, -1, SEM_UNDO);

} // namespace

// The counters only grow. A slot's number is its turn modulo `slots`. If all is zero, nobody has
// used the ring, so new memory from the kernel is ready at once.
struct ShmRing::Header {
    std::atomic<std::uint64_t> written;
    std::atomic<std::uint64_t> read;
    std::atomic<bool> joined; // a reader came
    std::atomic<bool> done;   // the reader has got everything
    std::array<std::size_t, slots> lengths;
};

ShmRing::Parts ShmRing::make_or_find(const Key& key) {
    static_assert(sizeof(Header) <= page_size);
    constexpr std::size_t size = page_size + slots * slot_size;
    for (;;) {
        Unfinished made;
        auto set = made.set = SemaphoreSet::create(key, semaphore_count, owner_only);
        if (!set) set = SemaphoreSet::find(key);
        auto memory = made.memory =
            SharedMemory::create(key, size, owner_only, SharedMemory::Pages::normal);
        if (!memory) memory = SharedMemory::find(key);
        if (!set || !memory) continue; // it was removed before we looked
        if (set->count() != semaphore_count || memory->size() != size)
            throw Error(fmt::format("cannot stream through {}: its key belongs to something else",
                                    key.text()));
        // If two processes make the ring, only the first one's operation succeeds.
        const auto& label = key.label();
        set->operate(
            std::array{operation(first_label, 0, IPC_NOWAIT), operation(first_label, label[0]),
                       operation(first_label + 1, label[1]), operation(first_label + 2, label[2]),
                       operation(free_slots, slots)});
        const auto values = set->values();
        if (!std::equal(label.begin(), label.end(), values.begin() + first_label))
            throw Error(fmt::format("cannot stream through {}: its key belongs to something else",
                                    key.text()));
        auto attached = memory->attach(SharedMemory::Access::read_write);
        made.set.reset();
        made.memory.reset();
        return {*std::move(set), *std::move(memory), std::move(attached)};
    }
}

// Resets a ring that nobody uses any more to its first state.
void ShmRing::reset(Parts& parts) {
    auto& header = parts.header();
    header.written = 0;
    header.read = 0;
    header.joined = false;
    header.done = false;
    const auto values = parts.set.values();
    // For a semaphore that is already 0, this operation is 0 and succeeds as well.
    parts.set.operate(std::array{operation(filled_slots, -values[filled_slots]),
                                 operation(free_slots, -values[free_slots]),
                                 operation(free_slots, slots)});
}

// While we hold the lock, the other end cannot join, and the last one cannot remove the ring. If
// our process dies, the lock becomes free.
void ShmRing::lock_ring(Parts& parts, Deadline deadline) {
    if (parts.set.operate(std::array{operation(lock, 0), operation(lock, 1, SEM_UNDO)}, deadline) ==
        SemaphoreSet::Outcome::would_wait)
        throw TimedOut(fmt::format("waiting for the lock of {}", parts.memory.name()));
}

// Call it with the lock held. It gives the lock back.
void ShmRing::take_place(Parts& parts, const Key& key, End end) {
    const unsigned short own = end == End::writer ? writer : reader;
    const unsigned short other = end == End::writer ? reader : writer;
    const unsigned short woken = end == End::writer ? filled_slots : free_slots;
    const auto values = parts.set.values();
    if (values[own] != 0)
        throw Error(fmt::format("cannot stream through {}: it already has a {}", key.text(),
                                end == End::writer ? "writer" : "reader"));
    // We cannot go on with a stream that another writer or reader began.
    const auto& header = parts.header();
    const bool used = end == End::writer ? header.written != 0 : header.joined.load();
    if (used && values[other] != 0)
        throw Error(
            fmt::format("cannot stream through {}: another stream is still using it", key.text()));
    if (values[other] == 0) reset(parts);
    parts.set.operate(std::array{operation(own, 1, SEM_UNDO),
                                 // Changes nothing now, and adds one when we die.
                                 operation(woken, 1), operation(woken, -1, SEM_UNDO), unlock});
    // Set this after the reader has its place: if the reader has joined and no reader is there, the
    // writer takes it for dead.
    if (end == End::reader) parts.header().joined = true;
}

// Call it with the lock held. If no end except OURS is there, removes the ring. Otherwise gives the
// lock back.
void ShmRing::release(Parts& parts, int ours) {
    const auto values = parts.set.values();
    if (values[writer] + values[reader] <= ours)
        remove(parts);
    else
        parts.set.operate(std::array{unlock});
}

ShmRing::Parts ShmRing::join(const Key& key, End end, Deadline deadline) {
    for (;;)
        try {
            auto parts = make_or_find(key);
            lock_ring(parts, deadline);
            try {
                take_place(parts, key, end);
            } catch (const std::exception&) {
                // Remove the ring unless a process has a place in it.
                try {
                    release(parts, 0);
                } catch (const Error&) { // NOLINT(bugprone-empty-catch)
                    // The first error is reported.
                }
                throw;
            }
            return parts;
        } catch (const SetRemoved&) { // NOLINT(bugprone-empty-catch): the last stream ended
        }
}

ShmRing::ShmRing(const Key& key, End end, Deadline deadline)
    : name_(key.text()), end_(end), parts_(join(key, end, deadline)) {}

ShmRing::Header& ShmRing::Parts::header() const {
    return *reinterpret_cast<Header*>(attached.bytes().data());
}

std::span<std::byte> ShmRing::slot(std::uint64_t turn) const {
    return parts_.attached.bytes().subspan(page_size + turn % slots * slot_size, slot_size);
}

void ShmRing::take(unsigned short semaphore, Deadline deadline) {
    if (parts_.set.operate(std::array{operation(semaphore, -1)}, deadline) ==
        SemaphoreSet::Outcome::would_wait)
        throw TimedOut(fmt::format("waiting for the other end of {}", name_));
}

void ShmRing::add(unsigned short semaphore) {
    parts_.set.operate(std::array{operation(semaphore, 1)});
}

// Call it with the lock held. Removes the set last: an end that finds the old set waits for its
// lock, and begins again when the set is gone.
void ShmRing::remove(Parts& parts) {
    parts.memory.remove();
    parts.set.remove();
}

void ShmRing::abandon() noexcept try {
    lock_ring(parts_, Deadline::never());
    release(parts_, 1);
} catch (const std::exception&) { // NOLINT(bugprone-empty-catch): the other end removed it
}

std::span<std::byte> ShmRingWriter::next_slot(Deadline deadline) {
    take(free_slots, deadline);
    const auto written = parts_.header().written.load(std::memory_order_relaxed);
    if (written - parts_.header().read.load(std::memory_order_acquire) >= slots)
        throw Error(fmt::format("the reader of {} died", name_));
    return slot(written);
}

void ShmRingWriter::publish(std::size_t count) {
    const auto written = parts_.header().written.load(std::memory_order_relaxed);
    parts_.header().lengths[written % slots] = count;
    parts_.header().written.store(written + 1, std::memory_order_release);
    add(filled_slots);
}

void ShmRingWriter::finish(Deadline deadline) {
    (void)next_slot(deadline);
    publish(0);
    try {
        // Everything is written, so our death no longer counts as a failure.
        parts_.set.operate(
            std::array{operation(filled_slots, 1, SEM_UNDO), operation(filled_slots, -1)});
        if (!parts_.header().joined &&
            parts_.set.operate(std::array{operation(reader, -1), operation(reader, 1)}, deadline) ==
                SemaphoreSet::Outcome::would_wait)
            throw TimedOut(fmt::format("waiting for a reader of {}", name_));
        if (parts_.set.operate(std::array{operation(reader, 0)}, deadline) ==
            SemaphoreSet::Outcome::would_wait)
            throw TimedOut(fmt::format("waiting for the reader of {}", name_));
    } catch (const SetRemoved&) {
        if (parts_.header().done) return;
        throw;
    }
    if (!parts_.header().done) throw Error(fmt::format("the reader of {} died", name_));
}

std::span<const std::byte> ShmRingReader::next(Deadline deadline) {
    auto read = parts_.header().read.load(std::memory_order_relaxed);
    if (holds_slot_) {
        parts_.header().read.store(++read, std::memory_order_release);
        holds_slot_ = false;
        add(free_slots);
    }
    take(filled_slots, deadline);
    if (parts_.header().written.load(std::memory_order_acquire) == read) {
        throw Error(fmt::format("the writer of {} died", name_));
    }
    const auto length = parts_.header().lengths[read % slots];
    if (length == 0) {
        parts_.header().done = true;
        lock_ring(parts_, Deadline::never());
        remove(parts_);
        return {};
    }
    holds_slot_ = true;
    return slot(read).first(std::min(length, slot_size));
}

} // namespace ipcbox::sysv
