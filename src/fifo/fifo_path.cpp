#include "fifo/fifo_path.h"

#include "core/directory.h"
#include "core/error.h"
#include "core/file_lock.h"
#include "core/io.h"
#include "core/process_info.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::fifo {

namespace {

// The lock file says this while the user's file is kept at PATH.orig.
constexpr std::string_view kept_mark = "kept\n";

std::optional<struct stat> status_of(const Fd& directory, const std::string& name) {
    struct stat status {};
    if (sys::call("fstatat", ::fstatat, directory.get(), name.c_str(), &status,
                  AT_SYMLINK_NOFOLLOW) == 0)
        return status;
    if (errno == ENOENT) return std::nullopt;
    throw SysError("inspect", name);
}

// Returns 0 or an errno.
int rename_with(const Fd& directory, const std::string& from, const std::string& to,
                unsigned flags) {
    return sys::call("renameat2", ::renameat2, directory.get(), from.c_str(), directory.get(),
                     to.c_str(), flags) == 0
               ? 0
               : errno;
}

void unlink_quietly(const Fd& directory, const std::string& name) {
    sys::call("unlinkat", ::unlinkat, directory.get(), name.c_str(), 0);
}

Error cannot_serve(const std::string& path, std::string_view reason) {
    return Error{fmt::format("cannot serve {}: {}", path, reason)};
}

std::string_view kind_of(const struct stat& status) {
    if (S_ISDIR(status.st_mode)) return "it is a directory";
    if (S_ISLNK(status.st_mode)) return "it is a symbolic link";
    if (S_ISFIFO(status.st_mode)) return "somebody put another FIFO there";
    return "it is neither a FIFO nor a regular file";
}

} // namespace

FifoPath::FifoPath(const std::string& path) : path_(path) {
    const auto slash = path.rfind('/');
    const bool bare = slash == std::string::npos;
    name_ = bare ? path : path.substr(slash + 1);
    if (name_.empty() || name_ == "." || name_ == "..")
        throw cannot_serve(path, "it is a directory");
    original_name_ = name_ + ".orig";
    lock_name_ = fmt::format(".{}.fifosig", name_);
    // We look up all names in this directory, even if it is moved.
    directory_ = open_file(bare ? "." : path.substr(0, slash + 1), O_PATH | O_DIRECTORY);
    lock();
    remove_spares();
}

FifoPath::~FifoPath() {
    put_back();
    remove_spares();
    unlink_quietly(directory_, lock_name_);
}

void FifoPath::lock() {
    const auto open = [](int at, const char* name, int flags, mode_t mode) {
        return ::openat(at, name, flags, mode);
    };
    for (;;) {
        const int number =
            sys::call("openat", open, directory_.get(), lock_name_.c_str(),
                      O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode_t{0600});
        if (number < 0) throw SysError("serve", path_);
        lock_ = Fd::adopt(number);
        if (!try_to_lock_for_process(lock_, path_)) {
            const auto holder = lock_holder(lock_);
            if (!holder) continue; // the holder has just ended
            const auto process = find_process(*holder);
            throw cannot_serve(path_, process ? fmt::format("{} already serves it", process->text())
                                              : "another process already serves it");
        }
        if (has_name(lock_, directory_.get(), lock_name_, path_)) return;
    }
}

// Removes the spares, and those of a server that was killed.
void FifoPath::remove_spares() noexcept {
    const auto open = [](int at, const char* name, int flags) { return ::openat(at, name, flags); };
    const int number =
        sys::call("openat", open, directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (number < 0) return;
    const Directory stream{::fdopendir(number)};
    if (!stream) {
        ::close(number);
        return;
    }
    const auto prefix = lock_name_ + ".";
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (!name.starts_with(prefix)) continue;
        struct stat status {};
        if (::fstatat(directory_.get(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISFIFO(status.st_mode))
            unlink_quietly(directory_, std::string{name});
    }
}

Fifo FifoPath::make_spare(mode_t mode) {
    return Fifo::make(directory_, fmt::format("{}.{}", lock_name_, spares_++), mode);
}

void FifoPath::remove_spare(const Fifo& spare) noexcept {
    if (!spare.name.empty()) unlink_quietly(directory_, spare.name);
}

bool FifoPath::has(const Fifo& fifo) const {
    // unlink(2) tells the watchers before it takes the name away. For a moment, the name still
    // leads to a file that has no link.
    const auto status = status_of(directory_, name_);
    return status && status->st_nlink > 0 && FileIdentity{*status} == fifo.identity();
}

std::optional<Fifo> FifoPath::claim(Fifo& spare, Stranger stranger) {
    // Give up at some point: a process may keep changing the file at PATH.
    for (int attempt = 0; attempt < 10; ++attempt) {
        const int error = rename_with(directory_, spare.name, name_, RENAME_NOREPLACE);
        if (error == 0) {
            ours_ = spare.identity();
            spare.name = name_;
            return std::nullopt;
        }
        if (error == EINVAL)
            throw cannot_serve(path_, "its file system cannot rename without replacing");
        if (error != EEXIST) throw SysError("serve", path_, error);
        const auto status = status_of(directory_, name_);
        if (!status) continue;
        if (S_ISREG(status->st_mode)) {
            keep_original();
            continue;
        }
        if (!S_ISFIFO(status->st_mode) || stranger == Stranger::refuse)
            throw cannot_serve(path_, kind_of(*status));
        auto found = Fifo::find(directory_, name_);
        if (found && exchange(spare, *found)) {
            found_name_ = found->name;
            return found;
        }
    }
    throw cannot_serve(path_, "the file there keeps changing");
}

bool FifoPath::exchange(Fifo& spare, Fifo& current) {
    if (const int error = rename_with(directory_, spare.name, name_, RENAME_EXCHANGE); error != 0) {
        if (error == ENOENT) return false;
        throw SysError("serve", path_, error);
    }
    // Our FIFO is at PATH from now on, even if we cannot find out which file came out.
    const auto former = std::exchange(ours_, spare.identity());
    const auto came_out = status_of(directory_, spare.name);
    if (!came_out || FileIdentity{*came_out} != current.identity()) {
        // Somebody put another file at PATH at this very moment. Move it back.
        if (came_out && rename_with(directory_, spare.name, name_, RENAME_EXCHANGE) == 0)
            ours_ = former;
        return false;
    }
    current.name = std::exchange(spare.name, name_);
    return true;
}

void FifoPath::keep_original() {
    // Write the mark before the move. A mark without a file at PATH.orig has no meaning.
    const bool marked = is_original_kept();
    if (!marked) write_all(lock_.get(), kept_mark, lock_name_);
    const int error = rename_with(directory_, name_, original_name_, RENAME_NOREPLACE);
    if (error == 0 || error == ENOENT) return;
    if (!marked) sys::call("ftruncate", ::ftruncate, lock_.get(), off_t{0});
    if (error != EEXIST) throw SysError("move", path_, error);
    throw cannot_serve(path_, fmt::format("the file there would have to move to {}.orig, and that "
                                          "exists already",
                                          path_));
}

bool FifoPath::is_original_kept() const {
    struct stat status {};
    return ::fstat(lock_.get(), &status) == 0 && status.st_size > 0;
}

bool FifoPath::is_ours(const std::string& name) const noexcept {
    struct stat status {};
    return ours_ && ::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           FileIdentity{status} == *ours_;
}

// Moves the file first and looks at it afterwards. Between a look and a move, the name could get
// another file.
void FifoPath::put_back() noexcept {
    if (is_original_kept()) {
        if (rename_with(directory_, original_name_, name_, RENAME_NOREPLACE) == 0) return;
        if (!is_ours(name_)) return;
        if (rename_with(directory_, original_name_, name_, RENAME_EXCHANGE) == 0) {
            if (is_ours(original_name_))
                unlink_quietly(directory_, original_name_);
            else
                (void)rename_with(directory_, original_name_, name_, RENAME_EXCHANGE);
            return;
        }
    }
    if (!is_ours(name_)) return;
    if (!found_name_.empty() && rename_with(directory_, found_name_, name_, RENAME_EXCHANGE) == 0) {
        if (!is_ours(found_name_))
            (void)rename_with(directory_, found_name_, name_, RENAME_EXCHANGE);
        return;
    }
    const auto aside = lock_name_ + ".end";
    if (rename_with(directory_, name_, aside, RENAME_NOREPLACE) != 0) return;
    if (is_ours(aside))
        unlink_quietly(directory_, aside);
    else
        (void)rename_with(directory_, aside, name_, RENAME_NOREPLACE);
}

} // namespace ipcbox::fifo
