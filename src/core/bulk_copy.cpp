#include "core/bulk_copy.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "core/thread.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <optional>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

constexpr std::size_t mebibyte = 1024UL * 1024;
constexpr std::size_t page_size = 4096;
// Of the window sizes from 64 KiB to 16 MiB, these were slightly faster than the others.
constexpr std::size_t read_window = mebibyte;
constexpr std::size_t write_window = 4 * mebibyte;
constexpr std::size_t extent = 4 * mebibyte;
// For less than this, a second thread costs more than it gains.
constexpr std::size_t worth_a_thread = 8 * mebibyte;

enum class Populate : int { read = MADV_POPULATE_READ, write = MADV_POPULATE_WRITE };

// Brings in the pages of BYTES. This is only a hint: a kernel before 5.14, or one that is short of
// memory, refuses, and the copy itself then reports any error.
void populate(std::span<const std::byte> bytes, Populate how) noexcept {
    const std::size_t into_page = reinterpret_cast<std::uintptr_t>(bytes.data()) % page_size;
    void* const start = const_cast<std::byte*>(bytes.data() - into_page);
    sys::call("madvise", ::madvise, start, bytes.size() + into_page, static_cast<int>(how));
}

std::size_t read_at(int fd, std::span<std::byte> into, off_t offset, std::string_view object) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const auto rest = into.subspan(filled, std::min(into.size() - filled, read_window));
        const ssize_t got = sys::call("pread", ::pread, fd, static_cast<void*>(rest.data()),
                                      rest.size(), offset + static_cast<off_t>(filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SysError("read", object);
        if (got == 0) break; // the file became shorter meanwhile
        filled += static_cast<std::size_t>(got);
    }
    return filled;
}

// Two threads take extents of the file in turn. If one of them fails, the copy fails.
std::size_t fill_in_parallel(int fd, std::span<std::byte> into, std::string_view object) {
    const off_t start = sys::call("lseek", ::lseek, fd, off_t{0}, SEEK_CUR);
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> filled{0};
    std::exception_ptr failure;
    const auto work = [&] {
        for (;;) {
            const std::size_t offset = next.fetch_add(extent);
            if (offset >= into.size()) return;
            const auto part = into.subspan(offset, std::min(extent, into.size() - offset));
            filled += read_at(fd, part, start + static_cast<off_t>(offset), object);
        }
    };
    {
        const auto second = start_helper([&] {
            try {
                work();
            } catch (...) {
                failure = std::current_exception();
            }
        });
        work();
    }
    if (failure) std::rethrow_exception(failure);
    sys::call("lseek", ::lseek, fd, start + static_cast<off_t>(into.size()), SEEK_SET);
    return filled;
}

} // namespace

std::optional<std::size_t> bytes_left(int fd) {
    struct stat status {};
    if (sys::call("fstat", ::fstat, fd, &status) < 0 || !S_ISREG(status.st_mode))
        return std::nullopt;
    const off_t position = sys::call("lseek", ::lseek, fd, off_t{0}, SEEK_CUR);
    if (position < 0) return std::nullopt;
    return static_cast<std::size_t>(std::max<off_t>(status.st_size - position, 0));
}

std::size_t fill_memory(int fd, std::span<std::byte> into, std::string_view object) {
    if (const auto left = bytes_left(fd); left && *left >= worth_a_thread)
        return fill_in_parallel(fd, into.first(std::min(*left, into.size())), object);
    widen_pipe(fd);
    std::size_t filled = 0;
    std::size_t populated = 0;
    while (filled < into.size()) {
        if (filled >= populated) {
            const auto window = into.subspan(filled, std::min(read_window, into.size() - filled));
            populate(window, Populate::write);
            populated = filled + window.size();
        }
        const auto got = read_some(fd, into.subspan(filled, populated - filled), object);
        if (got == 0) break;
        filled += got;
    }
    return filled;
}

void drain_memory(int fd, std::span<const std::byte> from, std::string_view object) {
    widen_pipe(fd);
    std::jthread ahead;
    if (from.size() >= worth_a_thread)
        ahead = start_helper([from](const std::stop_token& stop) {
            for (auto rest = from; !rest.empty() && !stop.stop_requested();) {
                const auto window = rest.first(std::min(write_window, rest.size()));
                populate(window, Populate::read);
                rest = rest.subspan(window.size());
            }
        });
    while (!from.empty()) {
        const auto window = from.first(std::min(write_window, from.size()));
        // The thread runs ahead, so this finds all pages there.
        populate(window, Populate::read);
        write_all(fd, window, object);
        from = from.subspan(window.size());
    }
}

bool has_more(int fd, std::string_view object) {
    if (const auto left = bytes_left(fd)) return *left > 0;
    (void)wait_for(fd, POLLIN, Deadline::never());
    const auto count_bytes = [](int file, int* count) { return ::ioctl(file, FIONREAD, count); };
    int count = 0;
    if (sys::call("ioctl", count_bytes, fd, &count) == 0) return count > 0;
    std::byte byte{};
    return read_some(fd, {&byte, 1}, object) > 0;
}

} // namespace ipcbox
