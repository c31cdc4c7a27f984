#include "core/whole_file.h"

#include "core/error.h"
#include "core/io.h"
#include "core/path.h"
#include "core/random.h"
#include "core/syscall.h"

#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// The end of the chain of links that begins at NAME. Its last name need not exist.
std::string behind_links(std::string name) {
    constexpr int max_links = 40; // the limit of the kernel
    for (int count = 0; count < max_links; ++count) {
        const auto target = read_link(name);
        if (!target) return name;
        name = target->starts_with('/') ? *target : directory_of(name) + "/" + *target;
    }
    throw SysError("write", name, ELOOP);
}

int open_at(const Fd& directory, const std::string& name, mode_t mode) {
    constexpr int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    for (;;) {
        const int fd = sys::call("openat", ::openat, directory.get(), name.c_str(), flags, mode);
        if (fd >= 0 || errno != EINTR) return fd;
    }
}

void remove_at(const Fd& directory, const std::string& name) {
    sys::call("unlinkat", ::unlinkat, directory.get(), name.c_str(), 0);
}

int link_at(const Fd& directory, const std::string& old_name, const std::string& new_name) {
    return sys::call("linkat", ::linkat, directory.get(), old_name.c_str(), directory.get(),
                     new_name.c_str(), 0);
}

// We cannot sync a directory that we may not read; the file is there anyway.
void sync_directory(const Fd& directory) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    const int fd = sys::call("openat", ::openat, directory.get(), ".", flags, mode_t{0});
    if (fd < 0) return;
    const Fd readable = Fd::adopt(fd);
    sys::call("fsync", ::fsync, readable.get());
}

} // namespace

void require_writable(int directory, const std::string& name, std::string_view path) {
    if (sys::call("faccessat", ::faccessat, directory, name.c_str(), W_OK, AT_EACCESS) == 0) return;
    const int error = errno;
    if (error == EACCES || error == EROFS) throw SysError("write", path, error);
}

WholeFile::WholeFile(const std::string& name, const WholeFilePlan& plan)
    : path_(plan.link == WholeFilePlan::Link::follow ? behind_links(name) : name),
      name_(name_of(path_)), plan_(plan) {
    if (name_.empty()) throw SysError("write", name, EISDIR);
    directory_ = open_file(directory_of(path_), O_PATH | O_DIRECTORY);
    // A name can be as long as the file system allows. Shorten it, so that our ending fits.
    constexpr std::size_t max_begin = NAME_MAX - std::string_view{".12345678.part"}.size();
    RandomNumbers numbers;
    for (;;) {
        part_ =
            fmt::format("{}.{:08x}.part", name_.substr(0, max_begin), numbers.next() & 0xffffffff);
        const int fd = open_at(directory_, part_, new_file_mode);
        if (fd >= 0) {
            file_ = Fd::adopt(fd);
            break;
        }
        if (errno == EEXIST) continue;
        part_.clear();
        throw SysError("write", name);
    }
    try {
        take_after();
    } catch (...) {
        discard();
        throw;
    }
}

void WholeFile::take_after() {
    auto mode = plan_.mode;
    struct stat status {};
    if (sys::call("fstatat", ::fstatat, directory_.get(), name_.c_str(), &status,
                  AT_SYMLINK_NOFOLLOW) == 0) {
        if (plan_.existing == WholeFilePlan::Existing::keep) throw SysError("write", path_, EEXIST);
        if (!S_ISREG(status.st_mode))
            throw Error(
                fmt::format("cannot replace {}: it is {}", path_,
                            S_ISLNK(status.st_mode) ? "a symbolic link" : "not a regular file"));
        require_writable(directory_.get(), name_, path_);
        constexpr mode_t permissions = 07777;
        if (!mode) mode = status.st_mode & permissions;
        // Only root may change the owner of a file. We may set one of our own groups.
        if (sys::call("fchown", ::fchown, file_.get(), status.st_uid, status.st_gid) < 0)
            sys::call("fchown", ::fchown, file_.get(), static_cast<uid_t>(-1), status.st_gid);
    } else if (errno != ENOENT) {
        throw SysError("inspect", path_);
    }
    if (mode && sys::call("fchmod", ::fchmod, file_.get(), *mode) < 0)
        throw SysError("set the mode of", part_);
}

void WholeFile::discard() noexcept {
    if (part_.empty()) return;
    remove_at(directory_, part_);
    part_.clear();
}

void WholeFile::commit() {
    sync_file(file_.get(), path_);
    file_.close(path_);
    if (plan_.existing == WholeFilePlan::Existing::keep) {
        if (link_at(directory_, part_, name_) < 0) throw SysError("write", path_);
        discard();
    } else {
        if (plan_.existing == WholeFilePlan::Existing::back_up) {
            remove_at(directory_, name_ + "~");
            if (link_at(directory_, name_, name_ + "~") < 0 && errno != ENOENT)
                throw SysError("back up", path_);
        }
        if (sys::call("renameat2", ::renameat2, directory_.get(), part_.c_str(), directory_.get(),
                      name_.c_str(), 0U) < 0)
            throw SysError("replace", path_);
        part_.clear();
    }
    sync_directory(directory_);
}

} // namespace ipcbox
