#include "core/file_lock.h"

#include "core/error.h"
#include "core/file_identity.h"
#include "core/signals.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// Interrupts a system call of ours by SIGALRM once the deadline has passed, and again every 10 ms,
// because the first signal can come before the call has begun.
class Interruption {
  public:
    explicit Interruption(Deadline deadline) {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        sys::call("sigaction", ::sigaction, SIGALRM, &action, &before_);
        const sigset_t alarm = signal_set({SIGALRM});
        sys::call("sigprocmask", ::sigprocmask, SIG_UNBLOCK, &alarm, &mask_before_);
        const auto left = std::chrono::ceil<std::chrono::microseconds>(*deadline.remaining());
        constexpr std::int64_t second = 1'000'000;
        itimerval timer{};
        timer.it_interval.tv_usec = 10'000;
        timer.it_value.tv_sec = left.count() / second;
        timer.it_value.tv_usec = left.count() % second;
        if (left.count() == 0) timer.it_value.tv_usec = 1;
        set(timer);
    }
    ~Interruption() {
        set({});
        sys::call("sigprocmask", ::sigprocmask, SIG_SETMASK, &mask_before_, nullptr);
        sys::call("sigaction", ::sigaction, SIGALRM, &before_, nullptr);
    }
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

  private:
    static void set(const itimerval& timer) {
        const auto call = [](const itimerval* value) {
            return ::setitimer(ITIMER_REAL, value, nullptr);
        };
        sys::call("setitimer", call, &timer);
    }

    struct sigaction before_ {};
    sigset_t mask_before_{};
};

int operation(LockKind kind) {
    return kind == LockKind::shared ? LOCK_SH : LOCK_EX;
}

// A network file system uses locks of byte ranges instead (fcntl(2)), and an exclusive one needs a
// descriptor that can write.
bool needs_writer(const Fd& fd) {
    constexpr long nfs = 0x6969; // NFS_SUPER_MAGIC
    struct statfs status {};
    return sys::call("fstatfs", ::fstatfs, fd.get(), &status) == 0 && status.f_type == nfs;
}

struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

int lock_call(int fd, int command, struct flock* lock) {
    return ::fcntl(fd, command, lock);
}

} // namespace

bool lock_until(int fd, LockKind kind, Deadline deadline, std::string_view object) {
    const auto lock = [&](int flags) {
        return sys::call("flock", ::flock, fd, operation(kind) | flags) == 0;
    };
    // A free lock costs one call.
    if (lock(LOCK_NB)) return true;
    if (errno != EWOULDBLOCK) throw SysError("lock", object);
    if (deadline.passed()) return false;
    std::optional<Interruption> interruption;
    if (!deadline.is_never()) interruption.emplace(deadline);
    while (!lock(0)) {
        if (errno != EINTR) throw SysError("lock", object);
        if (deadline.passed()) return false;
    }
    return true;
}

void unlock(int fd, std::string_view object) {
    if (sys::call("flock", ::flock, fd, LOCK_UN) < 0) throw SysError("unlock", object);
}

Fd open_lock_file(const std::string& path, LockKind kind) try {
    // These are the flags of flock(1), and O_NONBLOCK, so that we do not wait for the writer of a
    // FIFO.
    Fd fd = open_file(path, O_RDONLY | O_CREAT | O_NOCTTY | O_NONBLOCK, new_file_mode);
    if (kind == LockKind::exclusive && needs_writer(fd)) fd = open_file(path, O_RDWR | O_NOCTTY);
    return fd;
} catch (const SysError& error) {
    if (error.error() != EISDIR) throw;
    return open_file(path, O_RDONLY | O_DIRECTORY | O_NOCTTY);
}

bool has_name(const Fd& file, int directory, const std::string& name, std::string_view object) {
    struct stat locked {};
    if (sys::call("fstat", ::fstat, file.get(), &locked) < 0) throw SysError("lock", object);
    struct stat named {};
    if (sys::call("fstatat", ::fstatat, directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0)
        return FileIdentity{named} == FileIdentity{locked};
    if (errno != ENOENT) throw SysError("lock", object);
    return false;
}

bool try_to_lock_for_process(const Fd& file, std::string_view object) {
    auto wanted = whole_file();
    if (sys::call("fcntl", lock_call, file.get(), F_SETLK, &wanted) == 0) return true;
    if (errno != EAGAIN && errno != EACCES) throw SysError("lock", object);
    return false;
}

std::optional<pid_t> lock_holder(const Fd& file) noexcept {
    auto lock = whole_file();
    if (sys::call("fcntl", lock_call, file.get(), F_GETLK, &lock) < 0) return std::nullopt;
    if (lock.l_type == F_UNLCK) return std::nullopt;
    return lock.l_pid;
}

} // namespace ipcbox
