// The fault injector of the twin binary ipcbox-fault: it is asked before every system call of the
// core (core/syscall.h), and IPCBOX_FAULT tells it which of them to fail.
//
// Why a second binary and not LD_PRELOAD: the binary that we ship is a static PIE, into which
// nothing can be preloaded. A preloaded library would also miss calls that go through no symbol
// (the child of clone(2) inside libc, builtins, raw syscalls), and would make libc's own calls
// fail, even before main. ptrace(2) and seccomp(2) reach everything, but slowly, and they cannot
// see whether a semop could have waited. So the faults are injected at the core's own call point.
// The twin differs from the shipped binary in nothing else, and the shipped binary contains nothing
// of this file.
//
// A fault is injected only if the kernel can really return it, according to the ERRORS of the
// call's manual page and the kernel's source. Code that survives a close(2) that fails with ENOMEM
// proves nothing, and code that dies of it needs no repair. A call that can never fail (or only by
// our own mistake, EBADF or EINVAL) is in the table without errors. A call that is not in the table
// stops the twin, so that no new call is forgotten.
//
// IPCBOX_FAULT_MARK names a file to which "CALL: ERROR" is appended for each fault: a sweep over
// the Nth call is over when nothing is appended any more. IPCBOX_FAULT_SITES names a file for the
// places of all calls and what happened there (tests/fault/sites), in a twin that is not optimised.
//
// A server that restarts, and the sessions of a server, are programs of their own: each counts its
// own calls. IPCBOX_FAULT_IN names a variable: calls fail only in programs that were started with
// it. IPCBOX_FAULT_FROM names a file: calls are counted once it is there, and until one has failed.
#include "core/fault.h"

#include "core/words.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <utility>

namespace ipcbox::sys {

#ifndef __OPTIMIZE__
extern const char start_of_program[] __asm__("__executable_start"); // ld(1)
#endif

namespace {

using Arguments = std::span<const detail::Argument>;

// Stands for a short count where other faults have an errno.
constexpr int short_count = -1;

int integer(const detail::Argument& argument) {
    return static_cast<int>(argument.value);
}

mode_t kind_of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

// A standard descriptor can be of any kind, not only the one that it has in a test.
bool is_standard(int fd) {
    return fd <= STDERR_FILENO;
}

bool creates_file(Arguments open) {
    return (integer(open[1]) & O_CREAT) != 0;
}
// A signal can interrupt the open of a slow file, above all a FIFO (open(2)).
bool can_wait(int open_flags) {
    return (open_flags & (O_PATH | O_NONBLOCK | O_DIRECTORY)) == 0;
}
bool open_can_wait(Arguments open) {
    return can_wait(integer(open[1]));
}
bool openat_can_wait(Arguments openat) {
    return can_wait(integer(openat[2]));
}
bool duplicates(Arguments fcntl) {
    return integer(fcntl[1]) == F_DUPFD_CLOEXEC;
}
bool sets_pipe_size(Arguments fcntl) {
    return integer(fcntl[1]) == F_SETPIPE_SZ;
}
bool is_nonblocking(Arguments transfer) {
    return (::fcntl(integer(transfer[0]), F_GETFL) & O_NONBLOCK) != 0;
}
// A call that never sleeps is never interrupted (signal(7)).
bool is_blocking(Arguments transfer) {
    return !is_nonblocking(transfer);
}
bool epoll_can_wait(Arguments epoll_wait) {
    return integer(epoll_wait[3]) != 0;
}
// According to the flags of recv(2) and send(2).
bool does_not_wait(Arguments transfer) {
    return (integer(transfer[3]) & MSG_DONTWAIT) != 0;
}
// A peek shows all bytes that are there.
bool takes_away(Arguments transfer) {
    return (integer(transfer[3]) & MSG_PEEK) == 0;
}
bool is_in_proc(int fd) {
    struct statfs status {};
    return ::fstatfs(fd, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}
bool is_on_disk(Arguments transfer) {
    const int fd = integer(transfer[0]);
    return is_standard(fd) || (kind_of(fd) == S_IFREG && !is_in_proc(fd));
}
// Events of signalfd, fanotify and the like come whole or (EINVAL) not at all; their descriptors
// have no file type.
bool can_read_less(Arguments read) {
    return kind_of(integer(read[0])) != 0;
}
// pipe(7): up to PIPE_BUF bytes are written at once.
bool can_write_less(Arguments write) {
    return is_standard(integer(write[0])) || kind_of(integer(write[0])) != S_IFIFO ||
           write[2].value > PIPE_BUF;
}
bool is_nonblocking_lock(Arguments flock) {
    return (integer(flock[1]) & LOCK_NB) != 0;
}
bool is_blocking_lock(Arguments flock) {
    return !is_nonblocking_lock(flock) && (integer(flock[1]) & LOCK_UN) == 0;
}
bool creates_object(Arguments get) {
    return (integer(get[2]) & IPC_CREAT) != 0 || integer(get[0]) == IPC_PRIVATE;
}
bool finds_object(Arguments get) {
    return !creates_object(get);
}
bool reads_semaphores(Arguments semctl) {
    return integer(semctl[2]) != IPC_RMID && integer(semctl[2]) != SEM_INFO;
}
bool reads_all_semaphores(Arguments semctl) {
    return integer(semctl[2]) == GETALL;
}
bool reads_segment(Arguments shmctl) {
    return integer(shmctl[1]) == IPC_STAT;
}
bool reads_queue(Arguments msgctl) {
    return integer(msgctl[1]) == IPC_STAT;
}
// Whether one of the operations has FLAG.
bool has_flag(Arguments semtimedop, short flag) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how the call point hands over a pointer
    const auto* first = reinterpret_cast<const sembuf*>(semtimedop[1].value);
    const std::span operations{first, static_cast<std::size_t>(semtimedop[2].value)};
    return std::ranges::any_of(
        operations, [flag](const sembuf& operation) { return (operation.sem_flg & flag) != 0; });
}
bool can_say_would_wait(Arguments semtimedop) {
    return semtimedop[3].value != 0 || has_flag(semtimedop, IPC_NOWAIT);
}
sa_family_t family_of(Arguments bind) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    return reinterpret_cast<const sockaddr*>(bind[1].value)->sa_family;
}
bool names_ip(Arguments bind) {
    return family_of(bind) == AF_INET || family_of(bind) == AF_INET6;
}
bool is_ipv6(Arguments socket) {
    return integer(socket[0]) == AF_INET6;
}
bool names_file(Arguments bind) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    const auto* name = reinterpret_cast<const sockaddr_un*>(bind[1].value);
    return family_of(bind) == AF_UNIX && name->sun_path[0] != '\0';
}
bool has_no_name(int (*ask)(int, sockaddr*, socklen_t*), int socket) {
    sockaddr_un name{};
    socklen_t size = sizeof name;
    return ask(socket, reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
           name.sun_family == AF_UNIX && size == sizeof name.sun_family;
}
// The other end of a pair (socketpair(2)) is in a process of ours. Only the end of that process is
// a reset.
bool is_of_no_pair(Arguments transfer) {
    return !has_no_name(::getsockname, integer(transfer[0])) ||
           !has_no_name(::getpeername, integer(transfer[0]));
}
// SO_PEERPIDFD, which needs a descriptor and a kernel that knows it.
bool makes_handle(Arguments getsockopt) {
    constexpr int peer_pidfd = 77;
    return integer(getsockopt[1]) == SOL_SOCKET && integer(getsockopt[2]) == peer_pidfd;
}
bool undoes(Arguments semtimedop) {
    return has_flag(semtimedop, SEM_UNDO);
}

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
    {"pthread_create", {EAGAIN}}, // core/thread_faults.cpp
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

bool is_possible(std::string_view call, Arguments arguments, int error) {
    return std::ranges::any_of(possibilities, [&](const Possibility& possibility) {
        return possibility.call == call && has_error(possibility, error) &&
               (possibility.when == nullptr || possibility.when(arguments));
    });
}

// "ENOMEM" or "SHORT" as a number; 0 for neither.
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

// Appends a line to the file. It uses raw calls, for which no fault is injected.
void leave(const char* path, const std::string& line) {
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || ::write(fd, line.data(), line.size()) < 0) ::abort();
    ::close(fd);
}

// Records which call was made to fail.
void leave_mark(const char* path, std::string_view call, int error) {
    leave(path, fmt::format("{}: {}\n", call, name_of_error(error)));
}

[[noreturn]] void give_up(std::string_view reason) {
    const auto line = "fault injector: " + std::string{reason} + "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    ::abort(); // so that no test mistakes this for an expected outcome
}

#ifndef __OPTIMIZE__
bool can_fail(std::string_view call, Arguments arguments) {
    return std::ranges::any_of(possibilities, [&](const Possibility& possibility) {
        return possibility.call == call && possibility.errors[0] != 0 &&
               (possibility.when == nullptr || possibility.when(arguments));
    });
}

// Records "ADDRESS OUTCOME" for the places in the program after the calls. The outcome is the
// fault, or "could" or "cannot" when the call could fail or not, or "later" when it could and
// another call had failed before.
class Places {
  public:
    explicit Places(const char* path) : path_(path) {}

    void record(std::uintptr_t place, std::string_view call, Arguments arguments,
                const detail::Fault& fault) {
        const bool fails = fault.error != 0 || fault.shortened;
        std::string_view outcome = had_fault_ ? "later" : "could";
        if (fails)
            outcome = name_of_error(fault.shortened ? short_count : fault.error);
        else if (!can_fail(call, arguments))
            outcome = "cannot";
        had_fault_ = had_fault_ || fails;
        const std::pair visit{place, outcome};
        const std::span visited{visited_.begin(), count_};
        if (std::ranges::find(visited, visit) != visited.end()) return;
        leave(path_,
              fmt::format("{:x} {}\n", place - reinterpret_cast<std::uintptr_t>(start_of_program),
                          outcome));
        if (count_ < visited_.size()) visited_[count_++] = visit;
    }

  private:
    const char* path_;
    bool had_fault_ = false;
    // Each line is written once in a process.
    std::array<std::pair<std::uintptr_t, std::string_view>, 512> visited_{};
    std::size_t count_ = 0;
};
#endif

struct Injector {
    FaultPlan plan;
    const char* mark;
    const char* from; // null: from the first call on
    bool is_for_us;
    pid_t first;

    [[nodiscard]] bool is_on() const {
        if (!is_for_us || from == nullptr) return is_for_us;
        return ::access(from, F_OK) == 0 && ::access(mark, F_OK) != 0;
    }
};

Injector injector_of_environment() {
    const auto get = [](const char* name) { return std::getenv(name); };
    const char* const text = get("IPCBOX_FAULT");
    const char* const in = get("IPCBOX_FAULT_IN");
    Injector injector{FaultPlan::parse(text != nullptr ? text : ""), get("IPCBOX_FAULT_MARK"),
                      get("IPCBOX_FAULT_FROM"), in == nullptr || get(in) != nullptr, ::getpid()};
    if (injector.from != nullptr && injector.mark == nullptr)
        throw std::invalid_argument("IPCBOX_FAULT_FROM needs IPCBOX_FAULT_MARK");
    return injector;
}

// Empty until the environment has been read.
constinit std::optional<Injector> injector;
#ifndef __OPTIMIZE__
constinit std::optional<Places> places;
#endif
constinit std::mutex access; // bulk copies have threads

} // namespace

FaultPlan::Rule FaultPlan::parse_rule(std::string_view text) {
    const auto wrong = [text](std::string_view what) {
        return std::invalid_argument("IPCBOX_FAULT '" + std::string{text} +
                                     "': " + std::string{what});
    };
    const auto equals = text.find('=');
    const auto when = text.find_first_of("%@", std::min(equals, text.size()));
    if (equals == std::string_view::npos || when == std::string_view::npos)
        throw wrong("expected CALL=ERROR%N, CALL=ERROR@N or CALL=ERROR@childN");
    Rule rule{text.substr(0, equals), error_number(text.substr(equals + 1, when - equals - 1))};
    if (rule.error == 0) throw wrong("expected the name of an errno, or SHORT");
    if (rule.call == "*") rule.call = {};
    const bool can_happen = std::ranges::any_of(possibilities, [&](const auto& possibility) {
        return (rule.call.empty() || possibility.call == rule.call) &&
               has_error(possibility, rule.error);
    });
    if (!can_happen) throw wrong("this never happens");
    auto number = text.substr(when + 1);
    if (text[when] == '@') {
        constexpr std::string_view child = "child";
        rule.when = number.starts_with(child) ? When::once_in_child : When::once;
        if (rule.when == When::once_in_child) number.remove_prefix(child.size());
    }
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), rule.number);
    if (error != std::errc{} || end != number.data() + number.size() || rule.number == 0)
        throw wrong("expected a number from 1");
    return rule;
}

FaultPlan FaultPlan::parse(std::string_view text) {
    FaultPlan plan;
    while (!text.empty()) {
        if (plan.count_ == max_rules) throw std::invalid_argument("IPCBOX_FAULT: too many rules");
        plan.rules_[plan.count_++] = parse_rule(take_until(text, ','));
    }
    return plan;
}

detail::Fault FaultPlan::next(std::string_view call, Arguments arguments, Process process) {
    if (std::ranges::find(possibilities, call, &Possibility::call) == std::end(possibilities))
        throw std::invalid_argument("fault.cpp does not know what '" + std::string{call} +
                                    "' can fail with");
    detail::Fault fault;
    for (auto& rule : std::span{rules_}.first(count_)) {
        if (!rule.call.empty() && rule.call != call) continue;
        if (rule.when == When::once && process == Process::child) continue;
        if (rule.when == When::once_in_child && process == Process::first) continue;
        if (!is_possible(call, arguments, rule.error)) continue;
        ++rule.seen;
        const bool due =
            rule.when == When::every ? rule.seen % rule.number == 0 : rule.seen == rule.number;
        if (!due) continue;
        if (rule.error == short_count)
            fault.shortened = true;
        else
            fault.error = rule.error;
    }
    return fault;
}

namespace detail {

constinit bool is_watched = true;

Fault next_fault(const char* name, Arguments arguments) noexcept {
    try {
        const std::lock_guard alone{access};
        if (!injector) {
            injector = injector_of_environment();
#ifndef __OPTIMIZE__
            if (const char* path = std::getenv("IPCBOX_FAULT_SITES"); path != nullptr)
                places.emplace(path);
#endif
        }
        const auto process =
            ::getpid() == injector->first ? FaultPlan::Process::first : FaultPlan::Process::child;
        const int saved_errno = errno;
        const auto fault =
            injector->is_on() ? injector->plan.next(name, arguments, process) : detail::Fault{};
        // A connection that is lost stays lost.
        if (fault.error == ECONNRESET || fault.error == EPIPE)
            ::shutdown(integer(arguments[0]), SHUT_RDWR);
        if (injector->mark != nullptr && (fault.error != 0 || fault.shortened))
            leave_mark(injector->mark, name, fault.error != 0 ? fault.error : short_count);
#ifndef __OPTIMIZE__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wframe-address"
        // watched_call() called us, and call() called that. We want the address in call()'s caller.
        if (places)
            places->record(reinterpret_cast<std::uintptr_t>(__builtin_return_address(2)), name,
                           arguments, fault);
#pragma GCC diagnostic pop
#endif
        errno = saved_errno;
        return fault;
    } catch (const std::invalid_argument& wrong) {
        give_up(wrong.what());
    }
}

} // namespace detail

} // namespace ipcbox::sys
