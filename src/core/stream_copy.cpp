#include "core/stream_copy.h"

#include "core/fd.h"
#include "core/io.h"
#include "core/lost_connection.h"
#include "core/pipe.h"
#include "core/syscall.h"

#include <algorithm>
#include <fcntl.h>
#include <memory>
#include <span>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

class StreamCopy {
  public:
    StreamCopy(int from, int to, std::uint64_t limit, const StreamNames& names)
        : from_(from), to_(to), left_(limit), names_(names), way_(fastest_way()) {}

    std::uint64_t run() {
        if (way_ == Way::splice) {
            widen_pipe(from_);
            widen_pipe(to_);
        }
        while (left_ > 0)
            if (!move_in_kernel() && !move_through_memory()) break;
        return total_;
    }

  private:
    enum class Way { splice, file_range, sendfile, memory };

    [[nodiscard]] Way fastest_way() const {
        const mode_t from = file_kind(from_);
        const mode_t to = file_kind(to_);
        if (S_ISFIFO(from) || S_ISFIFO(to)) return Way::splice;
        if (!S_ISREG(from)) return Way::memory;
        return S_ISREG(to) ? Way::file_range : Way::sendfile;
    }

    // False when the next bytes have to go through memory. Only that way can wait, tell which side
    // has failed, and find the real end: a file in /proc has bytes although its size is 0.
    bool move_in_kernel() {
        if (way_ == Way::memory) return false;
        const ssize_t moved = move_some();
        if (moved > 0) count(static_cast<std::size_t>(moved));
        if (moved > 0 || (moved < 0 && errno == EINTR)) return true;
        const int error = moved < 0 ? errno : 0;
        // A socket reports this once, and a read after it finds the end.
        if (is_lost_connection(error) && S_ISSOCK(file_kind(from_)))
            throw ReadFailed(SysError("read", names_.from, error));
        if (error != EAGAIN) way_ = way_ == Way::file_range ? Way::sendfile : Way::memory;
        return false;
    }
    // Returns like the system calls: -1 and errno, 0 at the end.
    [[nodiscard]] ssize_t move_some() const {
        constexpr std::uint64_t max_piece = 1024UL * 1024 * 1024;
        const auto size = static_cast<std::size_t>(std::min(left_, max_piece));
        if (way_ == Way::splice)
            return sys::call("splice", ::splice, from_, nullptr, to_, nullptr, size, 0U);
        if (way_ == Way::sendfile)
            return sys::call("sendfile", ::sendfile, to_, from_, nullptr, size);
        return sys::call("copy_file_range", ::copy_file_range, from_, nullptr, to_, nullptr, size,
                         0U);
    }

    // False at the end.
    bool move_through_memory() {
        constexpr std::uint64_t max_piece = 128UL * 1024;
        if (!memory_) memory_ = std::make_unique_for_overwrite<std::byte[]>(max_piece);
        const auto bytes = read({memory_.get(), std::min(left_, max_piece)});
        if (bytes.empty()) return false;
        write_all(to_, bytes, names_.to);
        count(bytes.size());
        return true;
    }
    [[nodiscard]] std::span<std::byte> read(std::span<std::byte> into) const {
        try {
            return into.first(read_some(from_, into, names_.from));
        } catch (const SysError& error) {
            throw ReadFailed(error);
        }
    }

    void count(std::size_t size) {
        total_ += size;
        left_ -= size;
    }

    int from_;
    int to_;
    std::uint64_t left_;
    std::uint64_t total_ = 0;
    const StreamNames& names_;
    Way way_;
    std::unique_ptr<std::byte[]> memory_;
};

} // namespace

std::uint64_t copy_stream(int from, int to, std::uint64_t limit, const StreamNames& names) {
    return StreamCopy{from, to, limit, names}.run();
}

} // namespace ipcbox
