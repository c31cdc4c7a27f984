#include "net/unix_socket_file.h"

#include "core/error.h"
#include "core/file_lock.h"
#include "core/number.h"
#include "core/process_info.h"
#include "core/syscall.h"
#include "core/words.h"
#include "net/address.h"
#include "net/peer_process.h"
#include "net/socket_owner.h"
#include "net/unix_name.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::net {

namespace {

constexpr auto lock_suffix = ".lock";

Error cannot_listen(const std::string& path, std::string_view reason) {
    return Error{fmt::format("cannot listen on {}: {}", path, reason)};
}

Error served_by(const std::string& path, const std::string& owner) {
    return cannot_listen(
        path, fmt::format("it is served by {}", owner.empty() ? "another process" : owner));
}

// PATH is for error messages.
std::optional<struct stat> status_of(const Fd& directory, const std::string& name,
                                     const std::string& path) {
    struct stat status {};
    if (sys::call("fstatat", ::fstatat, directory.get(), name.c_str(), &status,
                  AT_SYMLINK_NOFOLLOW) == 0)
        return status;
    if (errno == ENOENT) return std::nullopt;
    throw SysError("inspect", path);
}

std::string_view kind_of(const struct stat& status) {
    if (S_ISREG(status.st_mode)) return "it is a regular file";
    if (S_ISDIR(status.st_mode)) return "it is a directory";
    if (S_ISLNK(status.st_mode)) return "it is a symbolic link";
    return "it is not a socket";
}

void unlink_quietly(const Fd& directory, const std::string& name) {
    sys::call("unlinkat", ::unlinkat, directory.get(), name.c_str(), 0);
}

// Tries an existing file first: in a sticky directory the kernel may refuse O_CREAT for a file of
// another user, even to root (proc(5), protected_regular).
std::optional<Fd> open_lock_file(const Fd& directory, const std::string& name,
                                 const std::string& path) {
    const auto open = [](int at, const char* file, int flags, mode_t mode) {
        return ::openat(at, file, flags, mode);
    };
    constexpr int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int number = sys::call("openat", open, directory.get(), name.c_str(), flags, mode_t{0});
    if (number < 0 && errno == ENOENT)
        number = sys::call("openat", open, directory.get(), name.c_str(), flags | O_CREAT | O_EXCL,
                           mode_t{0600});
    if (number >= 0) return Fd::adopt(number);
    if (errno == EEXIST || errno == EINTR) return std::nullopt;
    throw SysError("lock", path);
}

// The server that answers at PATH; nothing when there is none.
std::optional<std::string> find_server(const std::string& path) {
    UnixName name;
    try {
        name = name_to_connect(Address::unix_path(path));
    } catch (const SysError& error) {
        if (error.error() == ENOENT) return std::nullopt;
        throw SysError("find out who serves", path, error.error());
    }
    const auto& address = name.address;
    const auto connect = [](int socket, const sockaddr* to, socklen_t size) {
        return ::connect(socket, to, size);
    };
    const int number =
        sys::call("socket", ::socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (number < 0) throw SysError("make", "a socket");
    const Fd probe = Fd::adopt(number);
    if (sys::call("connect", connect, probe.get(), address.data(), address.size()) == 0) {
        const auto process =
            find_process(PeerProcess::of(probe.get(), PeerProcess::Handle::none).pid);
        return process ? process->text() : std::string{};
    }
    if (errno == ECONNREFUSED || errno == ENOENT) return std::nullopt;
    // A server has the socket, but its queue is full, or it is of another type.
    if (errno == EAGAIN || errno == EPROTOTYPE) return socket_owner(Address::unix_path(path));
    throw SysError("find out who serves", path);
}

class Umask {
  public:
    explicit Umask(mode_t mask) : before_(sys::call("umask", ::umask, mask)) {}
    ~Umask() { sys::call("umask", ::umask, before_); }
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;

  private:
    mode_t before_;
};

} // namespace

// Delegates, so that the destructor cleans up after a failure too.
UnixSocketFile::UnixSocketFile(const std::string& path) : UnixSocketFile() {
    path_ = path;
    open_directory();
    if (const auto status = status_of(directory_, name_, path_);
        status && !S_ISSOCK(status->st_mode))
        throw cannot_listen(path_, kind_of(*status));
    lock();
    remove_dead();
}

UnixSocketFile& UnixSocketFile::operator=(UnixSocketFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(name_, other.name_);
    std::swap(directory_, other.directory_);
    std::swap(lock_, other.lock_);
    std::swap(ours_, other.ours_);
    return *this;
}

void UnixSocketFile::open_directory() {
    const auto slash = path_.rfind('/');
    const bool bare = slash == std::string::npos;
    name_ = bare ? path_ : path_.substr(slash + 1);
    if (name_.empty() || name_ == "." || name_ == "..")
        throw cannot_listen(path_, "it is a directory");
    try {
        directory_ = open_file(bare ? "." : path_.substr(0, slash + 1), O_PATH | O_DIRECTORY);
    } catch (const SysError& error) {
        throw cannot_listen(
            path_, fmt::format("its directory cannot be opened: {}", error_text(error.error())));
    }
    struct stat status {};
    if (sys::call("fstat", ::fstat, directory_.get(), &status) < 0)
        throw SysError("listen on", path_);
    if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0)
        throw cannot_listen(path_, "every user can write in its directory, which has no sticky "
                                   "bit, and could replace the socket");
}

void UnixSocketFile::lock() {
    const auto lock_name = name_ + lock_suffix;
    const auto lock_path = path_ + lock_suffix;
    for (;;) {
        auto file = open_lock_file(directory_, lock_name, lock_path);
        if (!file) continue;
        if (!lock_until(file->get(), LockKind::exclusive, Deadline::after(Duration::zero()),
                        lock_path))
            throw served_by(path_, socket_owner(Address::unix_path(path_)));
        if (!has_name(*file, directory_.get(), lock_name, lock_path)) continue;
        lock_ = std::move(*file);
        return;
    }
}

void UnixSocketFile::remove_dead() {
    const auto found = status_of(directory_, name_, path_);
    if (!found) return;
    if (!S_ISSOCK(found->st_mode)) throw cannot_listen(path_, kind_of(*found));
    if (const auto server = find_server(path_)) throw served_by(path_, *server);
    // A server that does not use our lock may have come meanwhile.
    const auto now = status_of(directory_, name_, path_);
    if (now && FileIdentity{*now} == FileIdentity{*found} &&
        sys::call("unlinkat", ::unlinkat, directory_.get(), name_.c_str(), 0) < 0 &&
        errno != ENOENT)
        throw SysError("remove the dead socket", path_);
}

void UnixSocketFile::bind(const Fd& socket, const Access& access) {
    const auto address = name_to_bind(path_, directory_, name_);
    const auto bind_to = [](int number, const sockaddr* to, socklen_t size) {
        return ::bind(number, to, size);
    };
    // Linux makes the file with the mode of the socket's own inode, less the umask. A file for
    // another owner starts with mode 0, so that nobody can use it before it has that owner.
    const bool is_for_another = access.owner || access.group;
    if (sys::call("fchmod", ::fchmod, socket.get(), is_for_another ? 0 : access.mode) < 0)
        throw SysError("set the mode of", path_);
    {
        const Umask exactly_that{0};
        if (sys::call("bind", bind_to, socket.get(), address.data(), address.size()) < 0)
            throw SysError("listen on", path_);
    }
    try {
        apply(access);
    } catch (...) {
        unlink_quietly(directory_, name_);
        throw;
    }
}

// Works on the inode, not on the name: another user could make the name lead to a file that root
// must not give away.
void UnixSocketFile::apply(const Access& access) {
    const auto open = [](int at, const char* file, int flags) { return ::openat(at, file, flags); };
    const int number =
        sys::call("openat", open, directory_.get(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (number < 0) throw SysError("listen on", path_);
    const Fd file = Fd::adopt(number);
    struct stat status {};
    if (sys::call("fstat", ::fstat, file.get(), &status) < 0) throw SysError("listen on", path_);
    if (!S_ISSOCK(status.st_mode)) throw cannot_listen(path_, kind_of(status));
    constexpr auto same = static_cast<uid_t>(-1);
    if ((access.owner || access.group) &&
        sys::call("fchownat", ::fchownat, file.get(), "", access.owner.value_or(same),
                  access.group.value_or(same), AT_EMPTY_PATH) < 0)
        throw SysError("set the owner of", path_);
    // The file usually has this mode since its creation. ACLs of the directory can change it.
    constexpr mode_t permissions = 07777;
    const auto link = fmt::format("/proc/self/fd/{}", file.get());
    if ((status.st_mode & permissions) != access.mode &&
        sys::call("fchmodat", ::fchmodat, AT_FDCWD, link.c_str(), access.mode, 0) < 0)
        throw SysError("set the mode of", path_);
    ours_ = FileIdentity{status};
}

void UnixSocketFile::remove() noexcept {
    if (!lock_) return;
    struct stat status {};
    if (ours_ &&
        sys::call("fstatat", ::fstatat, directory_.get(), name_.c_str(), &status,
                  AT_SYMLINK_NOFOLLOW) == 0 &&
        FileIdentity{status} == *ours_)
        unlink_quietly(directory_, name_);
    // Remove the lock's name while we hold the lock. A server that waits for the same lock file
    // then finds that the file has no name any more.
    unlink_quietly(directory_, name_ + lock_suffix);
    release();
}

void UnixSocketFile::release() noexcept {
    lock_ = Fd{};
    directory_ = Fd{};
    ours_.reset();
}

void UnixSocketFile::keep_across_exec() const {
    set_across_exec(lock_, AcrossExec::keep);
    set_across_exec(directory_, AcrossExec::keep);
}

void UnixSocketFile::close_on_exec() const {
    set_across_exec(lock_, AcrossExec::close);
    set_across_exec(directory_, AcrossExec::close);
}

std::string UnixSocketFile::state() const {
    return fmt::format("{} {} {} {} {}", lock_.get(), directory_.get(), ours_ ? ours_->device : 0,
                       ours_ ? ours_->number : 0, path_);
}

UnixSocketFile UnixSocketFile::resume(std::string_view state) {
    const auto next = [&state] { return take_until(state, ' '); };
    const auto lock = whole_number<int>(next());
    const auto directory = whole_number<int>(next());
    const auto device = whole_number<dev_t>(next());
    const auto inode = whole_number<ino_t>(next());
    if (!lock || !directory || !device || !inode || state.empty())
        throw Error("cannot resume a Unix socket: its state is not what we left");
    UnixSocketFile file;
    file.lock_ = Fd::adopt(*lock);
    file.directory_ = Fd::adopt(*directory);
    file.ours_ = FileIdentity{*device, *inode};
    file.path_ = state;
    file.name_ = file.path_.substr(file.path_.rfind('/') + 1);
    file.close_on_exec();
    return file;
}

} // namespace ipcbox::net
