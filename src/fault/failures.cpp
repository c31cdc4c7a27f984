#include "fault/failures.h"

#include "fault/conditions.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace ipcbox::fault {

namespace {

// The errors with which CALL can fail, always or for certain arguments; a call can have several
// rows.
struct Possibility {
    std::string_view call;
    std::array<int, 8> errors; // up to the first 0
    bool (*when)(Arguments) = nullptr;
};

constexpr Possibility possibilities[] = {
    {"accept4", {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EAGAIN, EPERM}},
    {"access", {}},
    {"bind", {EADDRINUSE, EACCES, ENOMEM}},
    {"bind", {EADDRNOTAVAIL}, names_ip},
    {"bind", {ENOSPC, EROFS}, names_file},
    {"chdir", {EACCES}},
    {"clone", {EAGAIN, ENOMEM, EMFILE, ENFILE}}, // the last two for its pidfd
    {"close", {}},
    {"close_range", {}},
    {"connect", {EACCES, EAGAIN, ENOMEM}},
    {"connect", {EINTR}, is_blocking},
    {"connect", {EADDRNOTAVAIL, ENETUNREACH}, names_ip},
    {"copy_file_range", {short_count, EIO, ENOMEM, ENOSPC}},
    {"dup2", {EMFILE}}, // RLIMIT_NOFILE can be lower than an open descriptor
    {"epoll_create1", {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", {ENOMEM, ENOSPC}},
    {"epoll_wait", {EINTR}, epoll_can_wait},
    {"eventfd", {EMFILE, ENFILE, ENOMEM}},
    {"eventfd_read", {}},
    {"eventfd_write", {}},
    {"execve", {EACCES, EAGAIN, ENOMEM, ENFILE, E2BIG}},
    {"faccessat", {EACCES, ENOMEM}},
    {"fallocate", {EINTR, ENOSPC}},
    {"fanotify_init", {EMFILE, ENOMEM, ENOSYS, EPERM}},
    {"fanotify_mark", {ENOSPC, ENOMEM}},
    {"fchmod", {}}, // of a socket that has no file yet
    {"fchmod", {EPERM, EROFS}, is_on_disk},
    {"fchmodat", {EACCES, EROFS}},
    {"fchown", {EPERM, EROFS}},
    {"fchownat", {EPERM, EROFS}},
    {"fcntl", {EMFILE}, duplicates},
    {"fcntl", {EPERM, ENOMEM}, sets_pipe_size},
    {"flock", {ENOLCK}},
    {"flock", {EWOULDBLOCK}, is_nonblocking_lock},
    {"flock", {EINTR}, is_blocking_lock},
    {"fgetxattr", {ENODATA, EOPNOTSUPP}},
    {"fork", {EAGAIN, ENOMEM}},
    {"fsetxattr", {ENOSPC, EOPNOTSUPP}},
    {"fstat", {}},
    {"fstatat", {EACCES, ENOMEM}},
    {"fstatfs", {}},
    {"fsync", {EINTR, EIO, ENOSPC}},
    {"futimens", {EPERM, EROFS}},
    {"ftok", {EACCES, ENOMEM}},
    {"ftruncate", {EINTR, ENOSPC}},
    {"getaddrinfo", {}}, // not a system call: it returns EAI_…
    {"getcwd", {ENOENT}},
    {"getnameinfo", {}},
    {"getpeername", {ENOTCONN, ENOBUFS}}, // ENOTCONN when the connection was reset by then
    {"getpriority", {}},
    {"getrandom", {}},
    {"getresgid", {}},
    {"getresuid", {}},
    {"getrlimit", {}},
    {"getsockname", {ENOBUFS}},
    {"getsockopt", {ENOPROTOOPT, EMFILE, ENFILE, ENOMEM}, makes_handle},
    {"getsockopt", {}},
    {"inotify_add_watch", {ENOSPC, ENOMEM, EACCES}},
    {"inotify_init1", {EMFILE, ENFILE, ENOMEM}},
    {"ioctl", {}},
    {"isatty", {}},
    {"kill", {EPERM}},
    {"link", {EACCES, ENOSPC, ENOMEM}},
    {"listen", {EADDRINUSE}},
    {"lseek", {}},
    {"linkat", {EACCES, ENOSPC, ENOMEM, EROFS}},
    {"lstat", {EACCES, ENOMEM}},
    {"madvise", {ENOMEM, EAGAIN}},
    {"memfd_create", {EMFILE, ENFILE, ENOMEM}},
    {"mkdir", {EACCES, ENOSPC, ENOMEM, EROFS}},
    {"mkfifo", {EACCES, ENOSPC, ENOMEM, EROFS}},
    {"mkfifoat", {EACCES, ENOSPC, ENOMEM, EROFS}},
    {"mmap", {ENOMEM, EACCES, ENFILE}},
    {"msgctl", {EIDRM, EACCES}, reads_queue},
    {"msgget", {EACCES}}, // we make none
    {"munmap", {}},
    {"name_to_handle_at", {ENOMEM, EACCES, EOPNOTSUPP}},
    {"open", {EMFILE, ENFILE, ENOMEM, EACCES}},
    {"open", {EINTR}, open_can_wait},
    {"open", {ENOSPC}, creates_file},
    {"openat", {EMFILE, ENFILE, ENOMEM, EACCES}},
    {"openat", {EINTR}, openat_can_wait},
    {"pidfd_open", {EMFILE, ENFILE, ENOMEM}},
    {"pidfd_send_signal", {EPERM}},
    {"pipe2", {EMFILE, ENFILE}},
    {"ppoll", {EINTR}}, // no ENOMEM: up to 30 entries are on the kernel's stack
    {"prctl", {}},
    {"pthread_create", {EAGAIN}}, // fault/thread_start.cpp
    {"pread", {short_count, EINTR, EIO}},
    {"read", {EINTR}, is_blocking},
    {"read", {EIO}, is_on_disk},
    {"read", {EAGAIN}, is_nonblocking},
    {"read", {short_count}, can_read_less},
    {"readlink", {EACCES, ENOMEM}},
    {"recv", {ENOMEM}},
    {"recv", {ECONNRESET}, is_of_no_pair},
    {"recv", {short_count}, takes_away},
    {"recv", {EAGAIN}, does_not_wait},
    {"recvmmsg", {short_count, EAGAIN, ENOMEM}}, // short: fewer datagrams
    {"recvmsg", {EAGAIN, ENOMEM}},
    {"rename", {EACCES, ENOSPC, ENOMEM, EROFS}},
    {"renameat2", {EACCES, ENOSPC, ENOMEM, EROFS}},
    {"sched_getaffinity", {}},
    {"semctl", {EIDRM, EACCES}, reads_semaphores},
    {"semctl", {ENOMEM}, reads_all_semaphores},
    {"semget", {EACCES}, finds_object},
    {"semget", {ENOSPC, ENOMEM}, creates_object},
    {"semtimedop", {EINTR, EIDRM, EACCES}},
    {"semtimedop", {EAGAIN}, can_say_would_wait},
    {"semtimedop", {ENOMEM}, undoes},
    {"send", {short_count, ENOBUFS, ENOMEM}},
    {"send", {ECONNRESET, EPIPE}, is_of_no_pair},
    {"send", {EAGAIN}, does_not_wait},
    {"sendfile", {short_count, EINTR, EIO, ENOMEM}},
    {"sendfile", {EAGAIN}, is_nonblocking},
    {"sendmmsg", {short_count, EAGAIN, EPERM, ENOBUFS, ENOMEM}},
    {"sendto", {ECONNREFUSED, ENOBUFS, ENOMEM}},
    {"setitimer", {}},
    {"setgroups", {EPERM, ENOMEM}},
    {"setpgid", {EACCES}},
    {"setpriority", {EACCES}},
    {"setresgid", {EPERM, ENOMEM}},
    {"setresuid", {EPERM, EAGAIN, ENOMEM}},
    {"setrlimit", {EPERM}},
    {"setsid", {}},
    {"setsockopt", {ENOMEM}},
    {"shmat", {EACCES, EIDRM, ENOMEM}},
    {"shmctl", {EIDRM, EACCES}, reads_segment},
    {"shmdt", {}},
    {"shmget", {EACCES}, finds_object},
    {"shmget", {ENOSPC, ENOMEM, ENFILE}, creates_object},
    {"shutdown", {}},
    {"sigaction", {}},
    {"signalfd", {EMFILE, ENFILE, ENOMEM}},
    {"sigprocmask", {}},
    {"sigtimedwait", {}},
    {"sockatmark", {}},
    {"socket", {EMFILE, ENFILE, ENOMEM}},
    {"socket", {EAFNOSUPPORT}, is_ipv6},
    {"socketpair", {EMFILE, ENFILE, ENOMEM}},
    {"splice", {short_count, EINTR, ENOMEM}},
    {"splice", {EAGAIN}, is_nonblocking},
    {"stat", {EACCES, ENOMEM}},
    {"statfs", {EACCES, ENOMEM}},
    {"symlink", {EACCES, ENOSPC, ENOMEM, EROFS}},
    {"tcgetattr", {}},
    {"tcgetpgrp", {ENOTTY}},
    {"tcsetattr", {}},
    {"tcsetpgrp", {EPERM, ENOTTY}},
    {"tee", {short_count, EINTR, ENOMEM}},
    {"sync_file_range", {}}, // its errors come again from fsync
    {"timerfd_create", {EMFILE, ENFILE, ENOMEM}},
    {"timerfd_settime", {}},
    {"umask", {}},
    {"unlink", {}}, // we unlink only what we have just made
    {"unlinkat", {}},
    {"vmsplice", {short_count, EINTR, ENOMEM}},
    {"waitid", {EINTR}},
    {"write", {EINTR}, is_blocking},
    {"write", {EIO, ENOSPC}, is_on_disk},
    {"write", {EAGAIN}, is_nonblocking},
    {"write", {short_count}, can_write_less},
};

bool has_error(const Possibility& possibility, int error) {
    return std::ranges::find(possibility.errors, error) != possibility.errors.end();
}

} // namespace

int error_number(std::string_view name) {
    constexpr int errors_end = 134; // one past EHWPOISON, Linux's last
    if (name == "SHORT") return short_count;
    for (int error = 1; error < errors_end; ++error)
        if (const char* known = strerrorname_np(error); known != nullptr && name == known)
            return error;
    return 0;
}

std::string_view name_of_error(int error) {
    return error == short_count ? "SHORT" : strerrorname_np(error);
}

bool is_known(std::string_view call) {
    return std::ranges::find(possibilities, call, &Possibility::call) != std::end(possibilities);
}

bool can_happen(std::string_view call, int error) {
    return std::ranges::any_of(possibilities, [&](const Possibility& possibility) {
        return (call.empty() || possibility.call == call) && has_error(possibility, error);
    });
}

bool is_possible(std::string_view call, Arguments arguments, int error) {
    return std::ranges::any_of(possibilities, [&](const Possibility& possibility) {
        return possibility.call == call && has_error(possibility, error) &&
               (possibility.when == nullptr || possibility.when(arguments));
    });
}

bool can_fail(std::string_view call, Arguments arguments) {
    return std::ranges::any_of(possibilities, [&](const Possibility& possibility) {
        return possibility.call == call && possibility.errors[0] != 0 &&
               (possibility.when == nullptr || possibility.when(arguments));
    });
}

} // namespace ipcbox::fault
