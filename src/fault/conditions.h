// The arguments with which a system call can fail in a certain way: conditions of the rows in
// fault/failures.cpp.
#pragma once

#include "fault/failures.h"

#include <algorithm>
#include <climits>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace ipcbox::fault {

inline int integer(const sys::detail::Argument& argument) {
    return static_cast<int>(argument.value);
}

inline mode_t kind_of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

// A standard descriptor can be of any kind, not only the one that it has in a test.
inline bool is_standard(int fd) {
    return fd <= STDERR_FILENO;
}

inline bool creates_file(Arguments open) {
    return (integer(open[1]) & O_CREAT) != 0;
}
// A signal can interrupt the open of a slow file, above all a FIFO (open(2)).
inline bool can_wait(int open_flags) {
    return (open_flags & (O_PATH | O_NONBLOCK | O_DIRECTORY)) == 0;
}
inline bool open_can_wait(Arguments open) {
    return can_wait(integer(open[1]));
}
inline bool openat_can_wait(Arguments openat) {
    return can_wait(integer(openat[2]));
}
inline bool duplicates(Arguments fcntl) {
    return integer(fcntl[1]) == F_DUPFD_CLOEXEC;
}
inline bool sets_pipe_size(Arguments fcntl) {
    return integer(fcntl[1]) == F_SETPIPE_SZ;
}
inline bool is_nonblocking(Arguments transfer) {
    return (::fcntl(integer(transfer[0]), F_GETFL) & O_NONBLOCK) != 0;
}
// A call that never sleeps is never interrupted (signal(7)).
inline bool is_blocking(Arguments transfer) {
    return !is_nonblocking(transfer);
}
inline bool epoll_can_wait(Arguments epoll_wait) {
    return integer(epoll_wait[3]) != 0;
}
// According to the flags of recv(2) and send(2).
inline bool does_not_wait(Arguments transfer) {
    return (integer(transfer[3]) & MSG_DONTWAIT) != 0;
}
// A peek shows all bytes that are there.
inline bool takes_away(Arguments transfer) {
    return (integer(transfer[3]) & MSG_PEEK) == 0;
}
inline bool is_in_proc(int fd) {
    struct statfs status {};
    return ::fstatfs(fd, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}
inline bool is_on_disk(Arguments transfer) {
    const int fd = integer(transfer[0]);
    return is_standard(fd) || (kind_of(fd) == S_IFREG && !is_in_proc(fd));
}
// Events of signalfd, fanotify and the like come whole or (EINVAL) not at all; their descriptors
// have no file type.
inline bool can_read_less(Arguments read) {
    return kind_of(integer(read[0])) != 0;
}
// pipe(7): up to PIPE_BUF bytes are written at once.
inline bool can_write_less(Arguments write) {
    return is_standard(integer(write[0])) || kind_of(integer(write[0])) != S_IFIFO ||
           write[2].value > PIPE_BUF;
}
inline bool is_nonblocking_lock(Arguments flock) {
    return (integer(flock[1]) & LOCK_NB) != 0;
}
inline bool is_blocking_lock(Arguments flock) {
    return !is_nonblocking_lock(flock) && (integer(flock[1]) & LOCK_UN) == 0;
}
inline bool creates_object(Arguments get) {
    return (integer(get[2]) & IPC_CREAT) != 0 || integer(get[0]) == IPC_PRIVATE;
}
inline bool finds_object(Arguments get) {
    return !creates_object(get);
}
inline bool reads_semaphores(Arguments semctl) {
    return integer(semctl[2]) != IPC_RMID && integer(semctl[2]) != SEM_INFO;
}
inline bool reads_all_semaphores(Arguments semctl) {
    return integer(semctl[2]) == GETALL;
}
inline bool reads_segment(Arguments shmctl) {
    return integer(shmctl[1]) == IPC_STAT;
}
inline bool reads_queue(Arguments msgctl) {
    return integer(msgctl[1]) == IPC_STAT;
}
// Whether one of the operations has FLAG.
inline bool has_flag(Arguments semtimedop, short flag) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how the call point hands over a pointer
    const auto* first = reinterpret_cast<const sembuf*>(semtimedop[1].value);
    const std::span operations{first, static_cast<std::size_t>(semtimedop[2].value)};
    return std::ranges::any_of(
        operations, [flag](const sembuf& operation) { return (operation.sem_flg & flag) != 0; });
}
inline bool can_say_would_wait(Arguments semtimedop) {
    return semtimedop[3].value != 0 || has_flag(semtimedop, IPC_NOWAIT);
}
inline sa_family_t family_of(Arguments bind) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    return reinterpret_cast<const sockaddr*>(bind[1].value)->sa_family;
}
inline bool names_ip(Arguments bind) {
    return family_of(bind) == AF_INET || family_of(bind) == AF_INET6;
}
inline bool is_ipv6(Arguments socket) {
    return integer(socket[0]) == AF_INET6;
}
inline bool names_file(Arguments bind) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    const auto* name = reinterpret_cast<const sockaddr_un*>(bind[1].value);
    return family_of(bind) == AF_UNIX && name->sun_path[0] != '\0';
}
inline bool has_no_name(int (*ask)(int, sockaddr*, socklen_t*), int socket) {
    sockaddr_un name{};
    socklen_t size = sizeof name;
    return ask(socket, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
           name.sun_family == AF_UNIX && size == sizeof name.sun_family;
}
// The other end of a pair (socketpair(2)) is in a process of ours. Only the end of that process is
// a reset.
inline bool is_of_no_pair(Arguments transfer) {
    return !has_no_name(::getsockname, integer(transfer[0])) ||
           !has_no_name(::getpeername, integer(transfer[0]));
}
// SO_PEERPIDFD, which needs a descriptor and a kernel that knows it.
inline bool makes_handle(Arguments getsockopt) {
    constexpr int peer_pidfd = 77;
    return integer(getsockopt[1]) == SOL_SOCKET && integer(getsockopt[2]) == peer_pidfd;
}
inline bool undoes(Arguments semtimedop) {
    return has_flag(semtimedop, SEM_UNDO);
}

} // namespace ipcbox::fault
