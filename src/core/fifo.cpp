#include "core/fifo.h"

#include "core/error.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <array>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// The capacity of a pipe unless it is widened (pipe(7)).
constexpr std::size_t default_capacity = 64UL * 1024;

} // namespace

std::optional<Fifo> Fifo::find(const Fd& directory, const std::string& name) {
    const auto open = [](int at, const char* file, int flags) { return ::openat(at, file, flags); };
    const int number =
        sys::call("openat", open, directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (number < 0 && errno == ENOENT) return std::nullopt;
    if (number < 0) throw SysError("open", name);
    Fd inode = Fd::adopt(number);
    struct stat status {};
    if (sys::call("fstat", ::fstat, inode.get(), &status) < 0) throw SysError("inspect", name);
    if (!S_ISFIFO(status.st_mode)) return std::nullopt;
    return Fifo{std::move(inode), name, status};
}

Fifo Fifo::make(const Fd& directory, const std::string& name, mode_t mode) {
    if (sys::call("mkfifoat", ::mkfifoat, directory.get(), name.c_str(), mode) < 0)
        throw SysError("make FIFO", name);
    if (sys::call("fchmodat", ::fchmodat, directory.get(), name.c_str(), mode, 0) < 0)
        throw SysError("set the mode of", name);
    auto made = find(directory, name);
    if (!made) throw SysError("open", name, ENOENT);
    return *std::move(made);
}

std::string Fifo::path() const {
    return fmt::format("/proc/self/fd/{}", inode_.get());
}

void Fifo::open_writer() {
    writer_ = open_file(path(), O_RDWR | O_NONBLOCK);
}

bool Fifo::open_writer_if_read() {
    const auto open = [](const char* file, int flags) { return ::open(file, flags); };
    const auto file = path();
    int number = -1;
    do
        number = sys::call("open", open, file.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    while (number < 0 && errno == EINTR);
    if (number < 0 && errno == ENXIO) return false;
    if (number < 0) throw SysError("open", name);
    const Fd probe = Fd::adopt(number);
    open_writer();
    return true;
}

bool Fifo::has_readers() {
    const Fd other = open_file(path(), O_WRONLY | O_NONBLOCK);
    // Now we no longer count as a reader, and OTHER saves the other readers from an end of file.
    close_writer();
    pollfd entry{other.get(), POLLOUT, 0};
    (void)poll_until({&entry, 1}, Deadline::after(Duration::zero()));
    open_writer();
    return (entry.revents & POLLERR) == 0;
}

std::size_t Fifo::write(std::string_view text) {
    if (text.size() > default_capacity) widen_pipe(writer_.get());
    std::size_t written = 0;
    while (written < text.size()) {
        const auto rest = text.substr(written);
        const ssize_t count = sys::call("write", ::write, writer_.get(),
                                        static_cast<const void*>(rest.data()), rest.size());
        if (count >= 0)
            written += static_cast<std::size_t>(count);
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            throw SysError("write", name);
    }
    return written;
}

std::size_t Fifo::unread() const {
    const auto count_bytes = [](int fd, int* into) { return ::ioctl(fd, FIONREAD, into); };
    int count = 0;
    if (sys::call("ioctl", count_bytes, writer_.get(), &count) < 0) throw SysError("inspect", name);
    return static_cast<std::size_t>(count);
}

std::size_t Fifo::discard_unread() {
    std::array<std::byte, 4096> buffer;
    std::size_t discarded = 0;
    while (unread() > 0) {
        const ssize_t count = sys::call("read", ::read, writer_.get(),
                                        static_cast<void*>(buffer.data()), buffer.size());
        if (count > 0)
            discarded += static_cast<std::size_t>(count);
        else if (errno != EINTR && errno != EAGAIN) // another reader was faster
            throw SysError("read", name);
    }
    return discarded;
}

} // namespace ipcbox
