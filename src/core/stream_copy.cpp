#include "core/stream_copy.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/syscall.h"

#include <algorithm>
#include <fcntl.h>
#include <memory>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

constexpr std::size_t piece = 1024UL * 1024;

mode_t kind_of(int fd) {
    struct stat status {};
    return sys::call("fstat", ::fstat, fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

// Whether a call that moves bytes in the kernel says that it cannot do so for these two. Then
// nothing has been moved.
bool cannot_move(int error) {
    return error == EINVAL || error == EXDEV || error == EBADF || error == EOPNOTSUPP ||
           error == ENOSYS;
}

class StreamCopy {
  public:
    StreamCopy(int from, int to, std::uint64_t limit, const StreamNames& names)
        : from_(from), to_(to), left_(limit), names_(names) {}

    std::uint64_t run() {
        const mode_t from = kind_of(from_);
        const mode_t to = kind_of(to_);
        const auto range = [this](std::size_t size) {
            return sys::call("copy_file_range", ::copy_file_range, from_, nullptr, to_, nullptr,
                             size, 0U);
        };
        const auto spliced = [this](std::size_t size) {
            return sys::call("splice", ::splice, from_, nullptr, to_, nullptr, size, 0U);
        };
        if (S_ISREG(from) && S_ISREG(to) && move(range)) return total_;
        if (S_ISFIFO(from)) widen_pipe(from_);
        if (S_ISFIFO(to)) widen_pipe(to_);
        if ((S_ISFIFO(from) || S_ISFIFO(to)) && move(spliced)) return total_;
        copy();
        return total_;
    }

  private:
    // By MOVE_SOME until the end; false when it cannot go on so. A file of /proc has no bytes for
    // copy_file_range(2): nothing at all may mean either.
    template <class MoveSome> bool move(MoveSome move_some) {
        while (left_ > 0) {
            const ssize_t moved =
                move_some(static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece)));
            if (moved == 0) return total_ > 0;
            if (moved > 0)
                count(static_cast<std::size_t>(moved));
            else if (cannot_move(errno))
                return false;
            else if (errno != EINTR && errno != EAGAIN)
                throw SysError("write", names_.to);
        }
        return true;
    }

    void copy() {
        const auto memory = std::make_unique_for_overwrite<std::byte[]>(piece);
        while (left_ > 0) {
            const std::span all{memory.get(), std::min<std::uint64_t>(left_, piece)};
            const auto size = read_some(from_, all, names_.from);
            if (size == 0) return;
            write_all(to_, all.first(size), names_.to);
            count(size);
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
};

} // namespace

std::uint64_t copy_stream(int from, int to, std::uint64_t limit, const StreamNames& names) {
    return StreamCopy{from, to, limit, names}.run();
}

} // namespace ipcbox
